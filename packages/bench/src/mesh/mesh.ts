import type { Benchmark, Figure } from '../benchmark.ts';
import { Town } from './town.ts';
import { ourWatch, packageWatch, populate } from './watch-cost.ts';

const rates = [50, 500, 2_000];
const seconds = 5;
const sizes = [1, 100, 10_000];

/** What sidecars add to a call, how soon the mesh knows what happened, and what knowing costs. */
export const mesh: Benchmark = {
  name: 'mesh',
  what: 'sidecars, registration, removal and watches',
  rounds: 3,
  measure: async (rounds) => {
    const figures = new Figures();
    await using town = await Town.start();
    const alone = await town.alone();
    for (const size of sizes) await populate(town.consul, `of-${size}`, size);
    for (let round = 0; round < rounds; round += 1) {
      for (const perSecond of rates) {
        const direct = await town.load({ url: town.direct, perSecond, seconds });
        const one = await town.load({ ...alone, perSecond, seconds });
        const two = await town.load({ url: town.through('query'), perSecond, seconds });
        for (const share of ['p50', 'p99'] as const) {
          const at = `${perSecond}/s, ${share}`;
          figures.add(`direct, ${at}`, 'ms', direct[share]);
          figures.add(`added by one sidecar, ${at}`, 'ms', one[share] - direct[share]);
          figures.add(`added by two sidecars, ${at}`, 'ms', two[share] - direct[share]);
        }
        figures.add(
          `failed at ${perSecond}/s, all three ways, per second`,
          '/s',
          (direct.failed + one.failed + two.failed) / seconds,
        );
      }
      figures.add('registration to first proxied request', 's', await town.fresh());
      const { watch, requests } = await town.mortal();
      figures.add('kill to removal from a watch (checked each second)', 's', watch);
      figures.add('kill to the last request that met it', 's', requests);
      figures.add('a sidecar, resident', 'MB', await town.memory());
      for (const size of sizes) {
        const changes = size > 1_000 ? 5 : 20;
        const ours = await ourWatch(town.consul, `of-${size}`, changes);
        const theirs = await packageWatch(town.consul, `of-${size}`, changes);
        figures.add(`a change among ${size}: until our watch tells`, 'ms', ours.delay);
        figures.add(`a change among ${size}: until the consul package's tells`, 'ms', theirs.delay);
        figures.add(`a change among ${size}: processor time of ours`, 'ms', ours.cpu);
        figures.add(`a change among ${size}: processor time of the consul package's`, 'ms', theirs.cpu);
      }
    }
    return figures.all();
  },
};

class Figures {
  readonly #values = new Map<string, { unit: Figure['unit']; values: number[] }>();

  add(name: string, unit: Figure['unit'], value: number): void {
    const figure = this.#values.get(name) ?? { unit, values: [] };
    figure.values.push(value);
    this.#values.set(name, figure);
  }

  all(): Figure[] {
    return [...this.#values].map(([name, { unit, values }]) => ({ name, unit, values }));
  }
}
