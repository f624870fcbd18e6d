/** What goes between the front end and what stands behind it; types only, no code. */

/** What anywidget gives, or a document in the page in its place. */
export interface Model {
  get(trait: string): any;
  set(trait: string, value: any): void;
  save_changes(): void;
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback: (...args: any[]) => void): void;
  send(content: any, callbacks?: any, buffers?: any): void;
}

/** What was said or changed; node and tokens; the branch's label at a tip, else "". */
export type Label = [text: string, grey: string, letter: string];

export interface Edit {
  channel: string;
  path: (string | number)[];
  text: string;
}

export interface Message {
  index: number;
  id: string | null;
  role: string;
  name: string | null;
  text: string;
  size: number;
  cut: boolean;
  images: string[];
  tool_calls: { name: string; args: string; id: string | null }[];
  tool_call_id: string | null;
  failed: boolean;
  tokens: number | null;
  node: string | null;
  fresh: boolean;
  editable: boolean;
  /** The nodes that run again when it is edited; left out or null: not known. */
  runs?: string[] | null;
}

export interface Field {
  channel: string;
  type: "text" | "number" | "integer" | "boolean" | "choice" | "json" | "messages";
  choices: any[] | null;
  text: string;
  size: number;
  cut: boolean;
  unknown: string;
  description: string;
}

export interface Question {
  id: string | null;
  node: string | null;
  text: string;
  open: boolean;
  value: string;
  form: Field | null;
}

export type Block =
  | { kind: "note"; text: string; tone: "" | "error" | "warn" }
  | { kind: "heading"; text: string }
  | {
      kind: "table";
      columns: string[];
      numeric: number[];
      rows: (string | number | null)[][];
      marked: number;
      positions: number[] | null;
    }
  | {
      kind: "json";
      channel: string;
      path: (string | number)[];
      text: string;
      size: number;
      cut: boolean;
      unknown: string;
      editable: boolean;
    }
  | { kind: "change"; path: string; change: "added" | "removed" | "changed" | "moved"; parts: [string, string][] }
  | ({ kind: "message" } & Message)
  | { kind: "columns"; columns: Block[][]; titles: string[] }
  | { kind: "code"; language: string; label: string; text: string; open: boolean }
  | { kind: "bars"; rows: [string, [number, string][]][] };

export interface Page {
  position: number;
  id: string;
  short_id: string;
  title: string;
  heading: string;
  step: number | null;
  branch: string;
  node: string | null;
  is_tip: boolean;
  status: string;
  source: string | null;
  namespace: string;
  created_at: string | null;
  next: string[] | null;
  error: string | null;
  parent: number;
  children: number[];
  star: boolean;
  label: string;
  note: string;
  questions: Question[];
  messages: { channel: string; total: number; from: number; items: Message[] } | null;
  blocks: Block[];
}

export interface Result {
  kind: "idle" | "ok" | "busy" | "failed" | "stopped" | "waiting";
  text: string;
  details: string[];
  act: number;
  position: number;
}

export interface Running {
  doing: string;
  seconds: number;
  nodes: string[];
  messages: { role: string; node: string; text: string }[];
  stopping: boolean;
}

export interface Actions {
  /** Select a checkpoint: the tree shows it, the inspector opens it. */
  pick(position: number): void;
  /** Mark a checkpoint for the comparison, or take the mark away. */
  mark(position: number): void;
  openTab(name: string): void;
  do(gesture: string, about?: Record<string, unknown>): Promise<any>;
  say(text: string, tone?: string): void;
  /** Keep an edit of a checkpoint as a draft; null discards its drafts. */
  draft(id: string, edit: Edit | null): void;
  star(position: number): void;
  /** Move the focus to the tree, to the first thing to edit, to the main button. */
  tree(): void;
  edit(): void;
  run(): void;
}

export interface Context {
  model: Model;
  source: import("./source.js").Source;
  signal: AbortSignal;
  actions: Actions;
  /** Be told when a trait changes, as long as the view lives. */
  on(trait: string, callback: () => void): void;
  root: HTMLElement;
  /** Begins the ids of elements of this view. */
  tag: string;
}
