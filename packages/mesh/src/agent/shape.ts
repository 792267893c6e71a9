/** Whether the body of an answer looks as Consul's does, as far as we look into it. */
export type Shape = (body: unknown) => boolean;

export const text: Shape = (body) => typeof body === 'string';
export const number: Shape = (body) => typeof body === 'number';
export const truth: Shape = (body) => typeof body === 'boolean';

/** Some object or list. */
export const json: Shape = (body) => typeof body === 'object' && body !== null && !Buffer.isBuffer(body);

export function list(each: Shape): Shape {
  return (body) => Array.isArray(body) && body.every(each);
}

/** An object that has at least these fields. */
export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  const known = Object.entries(shapes);
  return (body) => json(body) && known.every(([name, shape]) => shape((body as Record<string, unknown>)[name]));
}

/** An object whose fields have any name. */
export function table(each: Shape): Shape {
  return (body) => json(body) && !Array.isArray(body) && Object.values(body as object).every(each);
}
