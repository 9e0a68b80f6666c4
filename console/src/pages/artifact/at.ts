/** Where an artifact is. `reference` is a tag or a digest. */
export interface At {
  project: string;
  repository: string;
  reference: string;
}

/** The keys of what shows artifacts and their tags. */
export const CONTENT = ['artifact', 'tags', 'repositories', 'accessories'];
