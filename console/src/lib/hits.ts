import type { Found } from '../api/types';
import { shortDigest } from './format';
import { splitName, to } from './place';

export const KINDS = ['project', 'repository', 'tag', 'artifact', 'blob', 'label'] as const;
export type Kind = (typeof KINDS)[number];

/** Something that a search found, and the page that shows it. */
export interface Hit {
  kind: Kind;
  text: string;
  href: string;
  /** What tells it from others of its name. */
  more?: string;
  public?: boolean;
  color?: string;
}

/** What was found, in the order in which it is shown. */
export function hitsOf(found: Found): Hit[] {
  return [
    ...found.artifacts.map(({ repository, digest, is_manifest }): Hit => {
      const [project, name] = splitName(repository);
      const href = is_manifest ? to.artifact(project, name, digest) : to.repository(project, name);
      return { kind: is_manifest ? 'artifact' : 'blob', text: repository, more: shortDigest(digest), href };
    }),
    ...found.tags.map(({ repository, name }): Hit => {
      const [project, path] = splitName(repository);
      return { kind: 'tag', text: `${repository}:${name}`, href: to.artifact(project, path, name) };
    }),
    ...found.projects.map((one): Hit => ({ kind: 'project', text: one.name, href: to.project(one.name), public: one.public })),
    ...found.repositories.map((one): Hit => ({ kind: 'repository', text: one.name, href: to.repository(...splitName(one.name)) })),
    ...found.labels.map(
      ({ id, name, color, project }): Hit => ({ kind: 'label', text: name, color, href: to.labelled(id, name, project), ...(project ? { more: project } : {}) }),
    ),
  ];
}
