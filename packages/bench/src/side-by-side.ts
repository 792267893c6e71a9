import type { Figure } from './benchmark.ts';

type Aim = Pick<Figure, 'aim' | 'more'>;

/** Figures of several peers, those that compare next to one another. */
export class SideBySide {
  readonly #figures = new Map<string, { readonly unit: Figure['unit']; readonly byPeer: Map<string, number[]> }>();
  readonly #ratios: Figure[] = [];

  add(name: string, peer: string, unit: Figure['unit'], value: number | undefined): void {
    if (value === undefined) throw new Error(`${name}: ${peer} did not tell`);
    const figure = this.#figures.get(name) ?? { unit, byPeer: new Map() };
    this.#figures.set(name, figure);
    figure.byPeer.set(peer, [...(figure.byPeer.get(peer) ?? []), value]);
  }

  /** How many times another's figure ours is, round by round. */
  ratio(name: string, ours: string, theirs: string, aim: Aim): void {
    const byPeer = this.#figures.get(name)?.byPeer;
    const [our, their] = [byPeer?.get(ours), byPeer?.get(theirs)];
    if (!our || !their) return;
    const values = our.map((value, round) => value / (their[round] ?? Number.NaN));
    this.#ratios.push({ name: `${name}: ${ours} over ${theirs}`, unit: '×', values, ...aim });
  }

  /** With what was promised for ours, by name. */
  all(ours: string, aims: Readonly<Record<string, Aim>>): Figure[] {
    const figures = [...this.#figures].flatMap(([name, { unit, byPeer }]) =>
      [...byPeer].map(
        ([peer, values]): Figure => ({
          name: `${name}: ${peer}`,
          unit,
          values,
          ...(peer === ours ? aims[name] : undefined),
        }),
      ),
    );
    return [...figures, ...this.#ratios];
  }
}
