// Envoy names its counters after clusters, and Consul names clusters after services:
//   [hash~][subset.]service.namespace.[partition.]datacenter.routing.trustdomain.consul.
// Tags take these parts out of the names, so that a dashboard can add up by service. Each expression takes the whole name
// (its first group, which is cut out) and one part of it (its second).

interface Tag {
  readonly tag_name: string;
  readonly regex?: string;
  readonly fixed_value?: string;
}

const part = '[^.]+';

/** The parts of a cluster's name, in order. An optional one brings its separator along. */
const parts: readonly { readonly name: string; readonly optional?: '~' | '.'; readonly pattern?: string }[] = [
  { name: 'custom_hash', optional: '~' },
  { name: 'service_subset', optional: '.' },
  { name: 'service' },
  { name: 'namespace' },
  { name: 'partition', optional: '.' },
  { name: 'datacenter' },
  { name: 'routing_type' },
  { name: 'trust_domain' },
];

/** An expression that finds one part. Only names of routes inside a datacenter say which part is the partition. */
function find(wanted: string): string {
  const inside = wanted === 'partition' || wanted === 'datacenter';
  const pieces = parts.map(({ name, optional }) => {
    const own = name === 'routing_type' && inside ? 'internal[^.]*' : part;
    const captured = name === wanted ? `(${own})` : own;
    if (optional === '~') return `(?:${captured}~)?`;
    return optional === '.' ? `(?:${captured}\\.)?` : `${captured}\\.`;
  });
  return `^cluster\\.(?:passthrough~)?(${pieces.join('')}consul\\.)`;
}

/** An upstream listener's counters: `http.upstream.service.[namespace.][partition.]datacenter.` */
const upstream = {
  'consul.upstream.service': `^(?:tcp|http)\\.upstream(?:_peered)?\\.((${part})(?:\\.${part}){0,2}\\.${part}\\.)`,
  'consul.upstream.datacenter': `^(?:tcp|http)\\.upstream\\.(${part}(?:\\.${part}){0,2}\\.(${part})\\.)`,
  'consul.upstream.namespace': `^(?:tcp|http)\\.upstream(?:_peered)?\\.(${part}(?:\\.(${part}))?(?:\\.${part})?\\.${part}\\.)`,
  'consul.upstream.partition': `^(?:tcp|http)\\.upstream\\.(${part}(?:\\.${part})?(?:\\.(${part}))?\\.${part}\\.)`,
};

export function statsTags(service: string, datacenter: string): readonly Tag[] {
  return [
    ...parts.map(({ name }) => ({ tag_name: `consul.destination.${name}`, regex: find(name) })),
    ...Object.entries(upstream).map(([tag_name, regex]) => ({ tag_name, regex })),
    { tag_name: 'local_cluster', fixed_value: service },
    { tag_name: 'consul.source.service', fixed_value: service },
    { tag_name: 'consul.source.namespace', fixed_value: 'default' },
    { tag_name: 'consul.source.partition', fixed_value: 'default' },
    { tag_name: 'consul.source.datacenter', fixed_value: datacenter },
  ];
}
