"""What the shells run when the tabulator is struck.

click's own classes lose a value that stands in the word of its option (``--kind=cur``), and in bash
one that holds a colon (``atlas:lo``), where bash breaks words. Here each shell gets back what fits in
place of the word as that shell sees it.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' reply kind value
    COMPREPLY=()
    while IFS=',' read -r kind value; do
        case $kind in
            dir) compopt -o filenames -o dirnames ;;
            file) compopt -o filenames -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_OPTION_OF_A_PATH = "compset -P 1 '-*='; _path_files"  # only the path of --option=path is completed
_FISH = """\
function %(complete_func)s
    set -l option (string match -r -- '^-[^=]*=' (commandline -ct))
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
            COMP_CWORD=(commandline -ct) %(prog_name)s 2>/dev/null)
        set -l found (string split -m 1 "," -- $line)
        switch $found[1]
            case dir
                for path in (__fish_complete_directories $found[2]); echo "$option$path"; end
            case file
                for path in (__fish_complete_path $found[2]); echo "$option$path"; end
            case plain
                echo $found[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Bash(BashComplete):
    """bash, which breaks words at = and : too, and replaces only what follows the last of them."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        return (words, "") if line[-1:].isspace() or not words else (words[:-1], words[-1])

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return what may stand after the last break within the word."""
        found = _whole_words(super().get_completions(args, incomplete), incomplete)
        breaks = [sign for sign in ":=" if sign in os.environ.get("COMP_BREAKS", ":=")]
        cut = max((incomplete.rfind(sign) + 1 for sign in breaks), default=0)
        return [
            CompletionItem(item.value[cut:], item.type, item.help) if item.type == "plain" else item
            for item in found
        ]


class Zsh(ZshComplete):
    """zsh, which replaces the whole word too, but completes paths itself."""

    source_template = ZshComplete.source_template.replace("_path_files", _OPTION_OF_A_PATH)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return whole words."""
        return _whole_words(super().get_completions(args, incomplete), incomplete)


class Fish(FishComplete):
    """fish, which replaces the whole word, paths too."""

    source_template = _FISH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return whole words."""
        return _whole_words(super().get_completions(args, incomplete), incomplete)


def _whole_words(found: list[CompletionItem[Any]], incomplete: str) -> list[CompletionItem[Any]]:
    """Put ``--option=`` before the values of an option that is written so."""
    option, equals, _ = incomplete.partition("=")
    if not equals or not option.startswith("-"):
        return found
    return [
        CompletionItem(f"{option}={item.value}", item.type, item.help) if item.type == "plain" else item
        for item in found
    ]


for _shell in (Bash, Zsh, Fish):
    add_completion_class(_shell)
