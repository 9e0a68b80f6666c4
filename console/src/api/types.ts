/** The names of what the API answers, from its OpenAPI document (`make console-test` generates the types). */
import type { components, paths } from '../../generated/schema';

export type { paths };
type Schemas = components['schemas'];
export type AccessToken = Schemas['AccessToken'];
export type Delivery = Schemas['WebhookExecution'];
export type Quota = Schemas['Quota'];
export type TrashUnit = Schemas['TrashUnit'];
export type Webhook = Schemas['WebhookPolicy'];
export type Accessory = Schemas['Accessory'];
export type Artifact = Schemas['Artifact'];
export type AuditLog = Schemas['AuditLogExt'];
export type Configurations = Schemas['Configurations'];
export type CreatedRobot = Schemas['CreatedRobot'];
export type Group = Schemas['UserGroup'];
export type ImmutableRule = Schemas['ImmutableRule'];
export type Label = Schemas['Label'];
export type Member = Schemas['Member'];
export type OwnSession = Schemas['OwnSession'];
export type Permission = Schemas['Permission'];
export type Project = Schemas['Project'];
export type RetentionPolicy = Schemas['RetentionPolicy'];
export type RetentionRule = Schemas['RetentionRule'];
export type Repository = Schemas['Repository'];
export type Robot = Schemas['Robot'];
export type Session = Schemas['Session'];
export type TagRow = Schemas['TagRow'];
export type User = Schemas['User'];
