/** The registry's name as clients write it: the console is served by the registry itself. */
export function registryHost(): string {
  return window.location.host;
}

const HELM_CONFIG = 'application/vnd.cncf.helm.config.v1+json';

/** How to pull `name` (`host/project/repository`) at a tag or a digest, by the client's name. */
export function pullCommands(name: string, tag: string | null, digest: string, type: string): [string, string][] {
  const reference = tag ? `${name}:${tag}` : `${name}@${digest}`;
  if (type === HELM_CONFIG) {
    const chart: [string, string][] = [['helm', `helm pull oci://${name}${tag ? ` --version ${tag.replaceAll('_', '+')}` : ''}`]];
    return [...chart, ['crane', `crane pull ${reference} chart.tar`]];
  }
  return [
    ['docker', `docker pull ${reference}`],
    ['podman', `podman pull ${reference}`],
    ['crane', `crane pull ${reference} image.tar`],
    ['skopeo', `skopeo copy docker://${reference} oci:image`],
  ];
}
