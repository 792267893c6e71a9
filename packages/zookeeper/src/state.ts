/**
 * - `connecting`: no session yet.
 * - `connected`: requests are answered.
 * - `suspended`: the connection is gone, the session may not be. What it holds must not be relied on.
 * - `lost`: the session is over, by our clock or by the server's word. Final.
 * - `closed`: we ended it. Final.
 */
export type State = 'connecting' | 'connected' | 'suspended' | 'lost' | 'closed';

export function isOver(state: State): boolean {
  return state === 'lost' || state === 'closed';
}
