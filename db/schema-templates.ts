export interface TemplateRow {
  env_id: number;
  id: string;
  name: string;
  kind: string;
  category: string | null;
  /** That of the newest version. */
  body: string;
  /** JSON list of the names that the body uses. */
  variables: string;
  version: number;
  created_at: number;
  updated_at: number;
}

/** Every body that a template has had, the present one too. */
export interface TemplateVersionRow {
  env_id: number;
  template_id: string;
  version: number;
  body: string;
  actor: string;
  created_at: number;
}
