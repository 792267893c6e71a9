import type { Driver } from '../driver.ts';
import type { ConnectionSettings } from '../settings.ts';

export function platformaticDriver(_settings: ConnectionSettings): Promise<Driver> {
  throw new Error('on its way');
}
