import { InvalidArgumentError } from '@quorate/core';
import type { Links } from '../links/links.ts';
import type { Ports } from '../processes/ports.ts';
import type { Ground } from '../processes/server.ts';
import type { Program } from '../programs/program.ts';

/** What every server of a bed is built on. */
export interface Site extends Ground {
  readonly ports: Ports;
  readonly links: Links;
  /** A program that was found or brought before any server was planned. */
  program(name: string): Program;
  /** What Java has loaded for this server before, as a file; undefined where there is none. */
  classes?(name: string): string | undefined;
}

/** `count` ports: from the one asked for upwards, else free ones that stay ours. */
export async function portsFor(site: Site, count: number, from?: number): Promise<number[]> {
  if (from !== undefined) return Array.from({ length: count }, (_, index) => from + index);
  const ports: number[] = [];
  while (ports.length < count) ports.push(await site.ports.claim());
  return ports;
}

/** The member with this number, counted from 1. */
export function numbered<T>(members: readonly T[], number: number, what: string): T {
  const member = members[number - 1];
  if (member === undefined) throw new InvalidArgumentError(what, `a number from 1 to ${members.length}`, number);
  return member;
}
