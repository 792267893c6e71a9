import { checkNames, checkSignal } from '@quorate/core';
import type { CallOptions, Channel } from '../connection/channel.ts';
import { text } from '../workflows-options.ts';
import { type Poller, pollerKinds } from './pollers.ts';

export interface UseVersionOptions extends CallOptions {
  readonly deployment: string;
  readonly build: string;
}

/** What workers of a version are for, as far as the server knows them as such: it hears of it a little later than of who polls. */
export async function kindsOfVersion(
  channel: Channel,
  { deployment: deploymentName, build: buildId }: { readonly deployment: string; readonly build: string },
  { taskQueue, signal }: CallOptions & { readonly taskQueue: string },
): Promise<Poller['kind'][]> {
  const { namespace } = channel.settings;
  const { workflowService } = channel.client;
  const { versionTaskQueues } = await channel.call(
    { what: `looking at version "${buildId}" of "${deploymentName}"`, writes: false },
    () =>
      workflowService.describeWorkerDeploymentVersion({ namespace, deploymentVersion: { deploymentName, buildId } }),
    { signal },
  );
  const types = (versionTaskQueues ?? []).flatMap(({ name, type }) => (name === taskQueue ? type : []));
  return (['workflow', 'activity'] as const).filter((kind) => types.includes(pollerKinds[kind]));
}

/** Makes a version of the workers the one that gets new workflows. */
export async function useVersion(channel: Channel, options: UseVersionOptions): Promise<void> {
  checkNames('options', options, ['deployment', 'build', 'signal']);
  const { signal } = options;
  checkSignal('signal', signal);
  const deploymentName = text('deployment', options.deployment);
  const buildId = text('build', options.build);
  const { namespace } = channel.settings;
  const { workflowService } = channel.client;
  await channel.call(
    { what: `using version "${buildId}" of "${deploymentName}"`, writes: true },
    () => workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId }),
    { signal },
  );
}
