import type { History, PictureOptions, StartOptions, Verdict } from '@quorate/testbed';

/** A concept, shown on real servers. */
export interface Demo {
  /** What `npm run demo -- <name>` calls it. */
  readonly name: string;
  /** One line: what there is to see. */
  readonly shows: string;
  run(stage: Stage): Promise<Outcome>;
}

/** Where a demo plays: what the audience asked for, and how to speak to it. */
export interface Stage {
  /** Decides all that is left to chance. */
  readonly seed: number;
  /** As little of everything as shows the point. */
  readonly fast: boolean;
  /** Leave the protection out: the verdict must then fail. */
  readonly sabotage: boolean;
  /** Aborts when the audience has had enough. */
  readonly signal: AbortSignal;
  /** For `Testbed.start`. */
  readonly start: StartOptions;
  /** A new part of the story, and why it is told. */
  scene(title: string, why: string): void;
  /** Who did what, or what became of it. */
  tell(who: string, what: string): void;
}

/** A line of the table: the same columns in each. */
export type Row = Readonly<Record<string, string | number>>;

/** What came of it. */
export interface Outcome {
  readonly history: History;
  readonly rows: readonly Row[];
  /** The demo has shown its point when all of them are valid. */
  readonly verdicts: readonly Verdict[];
  /** What to take home. */
  readonly moral: string;
  /** Which part of which history is worth a picture. */
  readonly picture: { readonly history: History; readonly options: PictureOptions };
}
