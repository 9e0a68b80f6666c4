/**
 * What the console asks of the management API, in the form that openapi-typescript writes (docs/management.md has the
 * endpoints). Only the fields that are shown stand here.
 */

export type Role = 1 | 2 | 3 | 4 | 5;

export interface Session {
  user: { name: string; admin: boolean } | null;
}

export interface CurrentUser {
  user_id: number;
  username: string;
  sysadmin_flag?: boolean;
}

export interface SystemInfo {
  harbor_version?: string;
  registry_url?: string;
  external_url?: string;
  banner_message?: string;
  read_only?: boolean;
}

export interface Project {
  project_id: number;
  name: string;
  owner_name: string;
  owner_id: number;
  creation_time: string;
  update_time?: string;
  repo_count?: number;
  current_user_role_id?: number;
  metadata: { public?: string; [name: string]: string | undefined };
}

export interface Repository {
  id: number;
  project_id: number;
  name: string;
  description?: string;
  artifact_count: number;
  pull_count: number;
  creation_time: string;
  update_time: string;
}

export interface TagRow {
  name: string;
  digest: string;
  media_type: string;
  push_time: string;
  pushed_by: string;
  size: number | null;
  artifact_type: string;
  platforms: string[];
  signed: boolean;
  sbom: boolean;
  pull_count: number;
  pull_time: string | null;
}

export interface Member {
  id: number;
  project_id: number;
  entity_name: string;
  entity_id: number;
  entity_type: 'u' | 'g';
  role_id: number;
  role_name: string;
}

export interface User {
  user_id: number;
  username: string;
  email?: string;
  realname?: string;
  sysadmin_flag?: boolean;
  creation_time?: string;
}

export interface FoundUser {
  user_id: number;
  username: string;
}

export interface SearchResult {
  project: Project[];
  repository: { project_id: number; project_name: string; project_public: boolean; repository_name: string }[];
}

interface Page {
  page?: number;
  page_size?: number;
  q?: string;
  sort?: string;
}

type None = Record<never, never>;
type Operation<Path, Query, Body, Result> = {
  parameters: (keyof Path extends never ? { path?: never } : { path: Path }) & { query?: Query };
  responses: { 200: { headers: Record<string, unknown>; content: { 'application/json': Result } } };
} & (Body extends null ? { requestBody?: never } : { requestBody: { content: { 'application/json': Body } } });
type Get<Result, Path = None, Query = None> = Operation<Path, Query, null, Result>;
type Send<Body, Path = None, Result = unknown> = Operation<Path, None, Body, Result>;

interface P {
  project: string;
}
interface R extends P {
  repository: string;
}

export interface paths {
  '/api/v2.0/systeminfo': { get: Get<SystemInfo> };
  '/api/roadstead/v1/session': {
    get: Get<Session>;
    post: Send<{ name: string; password: string }, None, Session>;
    delete: Send<null>;
  };
  '/api/v2.0/projects': {
    get: Get<Project[], None, Page>;
    post: Send<{ project_name: string; metadata: { public: string } }>;
  };
  '/api/v2.0/projects/{project}': {
    get: Get<Project, P>;
    put: Send<{ metadata: Record<string, string> }, P>;
  };
  '/api/v2.0/projects/{project}/members': {
    get: Get<Member[], P, Page & { entityname?: string }>;
    post: Send<{ role_id: number; member_user: { username: string } }, P>;
  };
  '/api/v2.0/projects/{project}/members/{member}': {
    put: Send<{ role_id: number }, P & { member: number }>;
    delete: Send<null, P & { member: number }>;
  };
  '/api/v2.0/projects/{project_name}/repositories': { get: Get<Repository[], { project_name: string }, Page> };
  '/api/v2.0/projects/{project_name}/repositories/{repository}': {
    get: Get<Repository, { project_name: string; repository: string }>;
  };
  '/api/roadstead/v1/projects/{project}/repositories/{repository}/tags': {
    get: Get<TagRow[], R, { sort?: string; prefix?: string; after?: string; limit?: number }>;
  };
  '/api/v2.0/search': { get: Get<SearchResult, None, { q: string }> };
  '/api/v2.0/users/current': { get: Get<CurrentUser> };
  '/api/v2.0/users/search': { get: Get<FoundUser[], None, Page & { username: string }> };
  '/api/v2.0/users': {
    get: Get<User[], None, Page>;
    post: Send<{ username: string; password: string; email?: string; realname?: string }>;
  };
  '/api/v2.0/users/{user}/sysadmin': { put: Send<{ sysadmin_flag: boolean }, { user: number }> };
  '/api/v2.0/users/{user}/password': {
    put: Send<{ new_password: string; old_password?: string }, { user: number | string }>;
  };
}
