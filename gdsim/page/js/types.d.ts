// The shapes that pass between the modules of the page. Types alone: nothing of this is shipped.

export type Numbers = number[] | Float64Array;
export type Interval = [number, number];
export type Status = "CONVERGED" | "DIVERGED" | "NONFINITE" | "STALLED" | "CYCLING" | "MAX_STEPS";
export type PointKind = "minimum" | "maximum" | "saddle" | "inflection" | "flat" | "kink" | "undecided";
export type VerdictKind = PointKind | "plateau" | "cycle" | "diverged" | "nonfinite" | "still_moving" | "no_minimum";

// ---- what Python emits (module "emitted") ------------------------------------------------------------

/** A loss: emitted by Python from its tree, or made in the page from a formula that the reader typed. */
export interface Loss {
  weights: string[];
  parameters: string[];
  columns: string[];
  /** The formula as text that the page's own parser reads. */
  text: string;
  /**
   * L at weights w, with the values of the parameters and the columns of data. Never throws. Each `sum` is multiplied
   * with `scale` (1 unless given): rows of the data over rows of a mini-batch.
   */
  value(w: Numbers, p: Numbers, d: Numbers[], scale?: number): number;
  /** Writes ∂L/∂w into out, one number for each weight. */
  gradient(w: Numbers, p: Numbers, d: Numbers[], out: Numbers, scale?: number): void;
  /** Writes the Hessian into out, row by row. */
  hessian(w: Numbers, p: Numbers, d: Numbers[], out: Numbers, scale?: number): void;
  /** A bound on the rounding of the value, where Python emitted the loss; see differences.js. */
  rounding?(w: Numbers, p: Numbers, d: Numbers[]): number;
}

export interface Option {
  name: string;
  default: number | null;
  least: number;
  most: number | null;
  openBelow: boolean;
  openAbove: boolean;
  flag: boolean;
  whole: boolean;
  summary: string;
}

/** An update rule, emitted from its statement in gdsim/update_rules.py. */
export interface Rule {
  name: string;
  summary: string;
  options: Option[];
  /** Names of what it remembers; empty for a rule without memory. */
  state: string[];
  adaptive: boolean;
  needsHessian: boolean;
  /** The state before the first step, in the order of `state`. */
  initial(options: Numbers): number[];
  /** Returns the step of one weight and writes its new state into `state`. */
  step(
    weight: number, gradient: number, learningRate: number, stepNumber: number, newtonStep: number,
    options: Numbers, state: Numbers,
  ): number;
}

export interface Schedule {
  name: string;
  summary: string;
  options: Option[];
  /** The rate at a step, counted from 0 after the warm-up. */
  rate(initial: number, stepNumber: number, options: Numbers): number;
  /** The steps after which the rate no longer changes with these options; Infinity for never. */
  changesUntil(options: Numbers): number;
  /** The steps after which the rate can no longer grow. */
  risesUntil(options: Numbers): number;
}

/** Everything that is emitted as code. */
export interface Emitted {
  losses: Record<string, Loss>;
  rules: Record<string, Rule>;
  schedules: Record<string, Schedule>;
}

// ---- one simulation -----------------------------------------------------------------------------------

export type Scheme = "forward" | "backward" | "central" | "five_point" | "complex_step" | "richardson";

/** A scenario as numbers: what the engine simulates. Options are by name, complete. */
export interface Problem {
  loss: Loss;
  parameters: number[];
  data: Numbers[];
  start: number[];
  rate: { initial: number; schedule: string; options: Record<string, number>; warmup: number };
  rule: { name: string; options: Record<string, number> };
  /** `exact` stands for every method that is exact to rounding: analytic, torch, and dual numbers. */
  derivative: { method: "exact" } | { method: "numeric"; scheme: Scheme; step: number | "auto" };
  stopping: { maxSteps: number; tolerance: number; bound: number };
  noise: null | { kind: "gaussian"; scale: number } | { kind: "minibatch"; size: number };
  clip: null | { kind: "norm" | "value"; bound: number };
  lineSearch: boolean;
  seed: number;
  domain: Interval[];
}

/** What came of it. Record k is the state at step k; the arrays hold records 0 … steps. */
export interface Trajectory {
  weights: number;
  steps: number;
  status: Status;
  /** (steps + 1) × weights, record after record. */
  weight: Float64Array;
  gradient: Float64Array;
  loss: Float64Array;
  rate: Float64Array;
  /** Steps that arrived clipped or backtracked. */
  flags: Map<number, string[]>;
  evaluations: { loss: number; gradient: number };
}

export interface CriticalPoint {
  weight: number[];
  loss: number;
  kind: PointKind;
  proof: "certified" | "numerical";
  /** Eigenvalues of the Hessian, ascending; f″ alone for one weight; empty where there is none. */
  curvature: number[];
  interval: Interval[];
  multiplicity: number | null;
  boundary: boolean;
}

export interface Search {
  domain: Interval[];
  points: CriticalPoint[];
  complete: boolean;
  /** Whether there may be more, as kinks that were not sought; without it, whatever is not complete. */
  open?: boolean;
}

export interface Verdict {
  kind: VerdictKind;
  sentence: string;
  remedy: string;
  /** The length of a cycle, else 0. */
  period: number;
  point: CriticalPoint | null;
}

export interface Ruler {
  at: number[];
  learningRate: number;
  curvature: number;
  oneOver: number;
  twoOver: number;
  /** The largest stable learning rate of the rule. */
  bound: number;
  band: "monotone" | "oscillating" | "diverging";
  sentence: string;
}

/** A problem with all that is known of it: what views draw. */
export interface Outcome {
  problem: Problem;
  trajectory: Trajectory;
  search: Search;
  verdict: Verdict;
  ruler: Ruler | null;
}

// ---- what the reader has set ----------------------------------------------------------------------------

export interface State {
  /** The text of an edited loss, or "" for the scenario's own. */
  formula: string;
  parameters: number[];
  start: number[];
  rate: number;
  rule: string;
  options: Record<string, number>;
  maxSteps: number;
  derivative: string; // "exact" or a scheme
  /** A second rule side by side, or "" for none. */
  rival: string;
  rivalOptions: Record<string, number>;
  rivalRate: number;
  /** The step that is shown, 0 … steps. */
  step: number;
  /** log10 of the h of the zoom demonstration. */
  logH: number;
  seed: number;
}

// ---- drawing --------------------------------------------------------------------------------------------

/** A colour by what it stands for; themes give it a value, light and dark. */
export type Colour =
  | "ink" | "quiet" | "grid" | "ground" | "panel" | "loss" | "path" | "rival" | "tangent" | "secant"
  | "minimum" | "maximum" | "saddle" | "left" | "right" | "limit" | "accent"
  | "converged" | "cycling" | "diverged" | "moving" | "nonfinite" | "stalled";
export type Dash = "" | "dashed" | "dotted";
export type Shape = "disc" | "ring" | "square" | "diamond" | "triangle" | "cross";

export type Item =
  | { kind: "line"; points: Numbers; colour: Colour; width: number; dash?: Dash; opacity?: number; arrow?: boolean }
  | { kind: "area"; points: Numbers; colour: Colour; opacity: number }
  | { kind: "marks"; points: Numbers; colour: Colour; radius: number; shape: Shape; filled?: boolean }
  | { kind: "text"; x: number; y: number; text: string; colour: Colour; size: number;
      anchor?: "start" | "middle" | "end"; baseline?: "top" | "middle" | "bottom"; bold?: boolean; halo?: boolean }
  /** Cells of equal size, row by row from the top; a colour with an opacity each. */
  | { kind: "cells"; x: number; y: number; width: number; height: number; columns: number; rows: number;
      colours: Colour[]; cells: Uint8Array; shades?: Float64Array }
  | { kind: "clip"; x: number; y: number; width: number; height: number; items: Item[] };

/** A picture in CSS pixels: painted on a canvas, or written as SVG. */
export interface Scene {
  width: number;
  height: number;
  items: Item[];
  /** What it shows, in a sentence, for those who do not see it. */
  label: string;
  /** What a click or drag at a place of the picture sets; null for nothing. */
  pick?: (x: number, y: number) => Partial<State> | null;
}

export interface Box { width: number; height: number }

/** A view: pure, without a look at the document. `rival` is the outcome of the second rule, if any. */
export type View = (outcome: Outcome, state: State, box: Box, rival: Outcome | null) => Scene;

// ---- the data of a page ---------------------------------------------------------------------------------

/** One scenario, as Python writes it into the page. */
export interface LabData {
  name: string;
  title: string;
  /** The key of its loss in `Emitted.losses`. */
  loss: string;
  /** Typeset by Python. */
  mathml: string;
  derivatives: { text: string; mathml: string }[];
  parameters: number[];
  data: Record<string, number[]>;
  start: number[];
  rate: { initial: number; schedule: string; options: Record<string, number>; warmup: number };
  rule: { name: string; options: Record<string, number> };
  derivative: Problem["derivative"];
  /** How the file names the derivative method, for the YAML that the page writes. */
  derivativeName: Record<string, string | number>;
  stopping: { maxSteps: number; tolerance: number; bound: number };
  noise: Problem["noise"];
  clip: Problem["clip"];
  lineSearch: boolean;
  /** Which steps the log of a run keeps: every so many, and the last. */
  record?: number;
  seed: number;
  domain: Interval[];
  search: Search;
  /** What Python found, shown before anything is changed. */
  status: Status;
  steps: number;
  verdict: Verdict;
  ruler: Ruler | null;
  /** The derivative at the start by each method of Python; PyTorch only where it was asked for. */
  methods: { name: string; value: number[]; error: number | null; evaluations: number }[];
}
