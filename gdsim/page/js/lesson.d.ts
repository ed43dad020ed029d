// The shapes of lessons in the page, as gdsim/page/lesson_data.py writes them. Types alone: nothing of this is shipped.

import type { LabData, Outcome } from "./types";

/** [absolute, relative]: how far off a number may be. */
export type Tolerance = [number, number];
/** A name and what stands beside it: an option and its markup, a path and its value. */
export type Pair = [string, string];

export interface Goal {
  verdict: string[];
  within: number | null;
  weight: Record<string, number>;
  tolerance: number;
}

interface StepBase {
  name: string;
  /** Markup that Python made. */
  prose: string;
  hints?: string[];
  /** A right answer as a learner types it. */
  written?: string;
  /** By part: "feedback left", "mistake halved", "reveal", "solution". */
  texts?: Record<string, string>;
}
interface WithLab { lab: number; plot: string }
export type TextStep = StepBase & { kind: "text" };
export type FigureStep = StepBase & WithLab & { kind: "figure"; at: number[]; until: number | null };
/** A picture that Python drew, and the words that stand for it. */
export type PictureStep = StepBase & { kind: "figure"; plot: string; picture: string; alt: string };
export type RunStep = StepBase & WithLab & { kind: "run"; edit: Pair[] };
export type PredictStep = StepBase & WithLab & { kind: "predict" } & (
  | { ask: "direction"; right: string }
  | { ask: "outcome"; right: string; items: Pair[] }
  | { ask: "number"; right: number; tolerance: Tolerance }
);
export type ChoiceStep = StepBase & { kind: "choice"; items: Pair[]; right: string[] };
export type NumberStep = StepBase & {
  kind: "number"; right: number; tolerance: Tolerance; mistakes: [string, number][];
};
export type DeriveStep = StepBase & {
  kind: "derive"; of: string; by: string; weights: string[]; right: string; wrong: Pair[];
};
export type TuneStep = StepBase & WithLab & { kind: "tune"; edit: Pair[]; goal: Goal };
export type OrderStep = StepBase & { kind: "order"; items: Pair[]; right: string[] };
export type LessonStep =
  | TextStep | FigureStep | PictureStep | RunStep | PredictStep | ChoiceStep | NumberStep | DeriveStep | TuneStep | OrderStep;

export interface LessonData {
  name: string;
  digest: string;
  title: string;
  language: string;
  minutes: number;
  summary: string;
  steps: LessonStep[];
}

export interface CourseData {
  language: string;
  phrases: Record<string, string>;
  lessons: LessonData[];
  labs: LabData[];
}

export interface Judgement {
  /** null where nobody can tell, which is no failed attempt. */
  right: boolean | null;
  phrase: string;
  facts: Record<string, string | number | null>;
  part: string;
  misconception: string;
  outcome: Outcome | null;
}

export interface Attempt {
  step: string;
  answer: string;
  right: boolean;
  hints: number;
  misconception: string;
  when: string;
}

/** How far one lesson is: what progress.json of the terminal holds of it. */
export interface LearnerRecord {
  at: string;
  finished: boolean;
  attempts: Attempt[];
  shown: string[];
  skipped: string[];
}

/** Makes the run of a laboratory with other settings, by path; throws for settings that cannot be. */
export type Runner = (lab: number, settings: Record<string, string>) => Outcome;
