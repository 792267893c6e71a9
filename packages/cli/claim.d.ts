/** What a claimed file says of the process that holds it, and the details it gave. */
export type Claim<Details> = Details & { readonly pid: number; readonly started: string };

export function claim<Details extends object>(file: string, details?: Details): Claim<Details> | undefined;
export function amend(file: string, details: object): void;
export function release(file: string): void;
export function holder<Details>(file: string): Claim<Details> | undefined;
export function isAlive(claim: { readonly pid: number; readonly started: string }): boolean;
