// Make a small store with LangGraph.js, and what LangGraph.js itself says of it, as JSON:
//
//   npm install @langchain/langgraph @langchain/core @langchain/langgraph-checkpoint-sqlite \
//     @langchain/langgraph-checkpoint-postgres better-sqlite3@12
//   node make_js_store.mjs langgraph-js.sqlite
//   node make_js_store.mjs langgraph-js-0.2.sqlite   # with langgraph@0.2.74, core@0.3.78, checkpoint-sqlite@0.1.5
//   node make_js_store.mjs postgresql://…   # then pg_dump --inserts --no-owner > langgraph-js-postgres.sql
//
// Threads: `chat` (messages, tool calls, usage, a replay and an edit), `fan-out` (Sends, parallel edges, a join),
// `open` and `answered` (an interrupt), `two questions` (in parallel), `failing`, `stopped` (before a node), `nested`
// (an interrupt in a subgraph), `odd` (values that JSON lacks), `removed` (a message that was removed), `functional`.

import fs from "node:fs";
import { AIMessage, HumanMessage, RemoveMessage, ToolMessage } from "@langchain/core/messages";
import { Annotation, Command, END, MessagesAnnotation, START, Send, StateGraph, entrypoint, interrupt, task } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

const State = Annotation.Root({
  topics: Annotation(),
  jokes: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }),
  odd: Annotation(),
});
const at = (thread, checkpoint_id) => ({ configurable: { thread_id: thread, checkpoint_ns: "", ...(checkpoint_id ? { checkpoint_id } : {}) } });

async function found(graph, thread, wanted) {
  for await (const state of graph.getStateHistory(at(thread))) if (wanted(state)) return state;
}

async function chat(saver) {
  let turn = 0;
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("agent", ({ messages }) => {
      turn += 1;
      const usage = { input_tokens: 10 * turn, output_tokens: turn, total_tokens: 11 * turn };
      const call = { name: "search", args: { q: "cats" }, id: `call-${turn}`, type: "tool_call" };
      const asked = messages.at(-1)._getType() === "human";
      return { messages: [new AIMessage({ id: `ai-${turn}`, content: asked ? "" : "done", tool_calls: asked ? [call] : [], usage_metadata: usage, response_metadata: { model_name: "fake" } })] };
    })
    .addNode("tools", ({ messages }) => ({ messages: [new ToolMessage({ id: `tool-${turn}`, content: "found", tool_call_id: messages.at(-1).tool_calls[0].id, name: "search" })] }))
    .addEdge(START, "agent")
    .addConditionalEdges("agent", ({ messages }) => (messages.at(-1).tool_calls.length ? "tools" : END))
    .addEdge("tools", "agent")
    .compile({ checkpointer: saver });
  await graph.invoke({ messages: [new HumanMessage({ id: "human-1", content: "hi" })] }, at("chat"));
  const before = await found(graph, "chat", (state) => state.next[0] === "tools");
  await graph.invoke(null, before.config);
  await graph.updateState(before.config, { messages: [new AIMessage({ id: "ai-1", content: "edited" })] }, "agent");
  return [graph, ["chat"]];
}

async function fanOut(saver) {
  const graph = new StateGraph(State)
    .addNode("plan", () => ({ topics: ["a", "b"] }))
    .addNode("tell", ({ topic }) => ({ jokes: [topic] }))
    .addNode("left", () => ({ jokes: ["left"] }))
    .addNode("right", () => ({ jokes: ["right"] }))
    .addNode("both", () => ({ jokes: ["both"] }))
    .addEdge(START, "plan")
    .addConditionalEdges("plan", ({ topics }) => [...topics.map((topic) => new Send("tell", { topic })), "left", "right"], ["tell", "left", "right"])
    .addEdge(["left", "right"], "both")
    .compile({ checkpointer: saver });
  await graph.invoke({ topics: [] }, at("fan-out"));
  return [graph, ["fan-out"]];
}

async function asking(saver) {
  const graph = new StateGraph(State)
    .addNode("ask", () => ({ jokes: [interrupt({ question: "ok?" })] }))
    .addEdge(START, "ask")
    .compile({ checkpointer: saver });
  for (const thread of ["open", "answered"]) await graph.invoke({ topics: [] }, at(thread));
  await graph.invoke(new Command({ resume: "yes" }), at("answered"));
  return [graph, ["open", "answered"]];
}

async function twoQuestions(saver) {
  const graph = new StateGraph(State)
    .addNode("one", () => ({ jokes: [interrupt("first?")] }))
    .addNode("two", () => ({ jokes: [interrupt("second?")] }))
    .addNode("quiet", () => ({ jokes: ["quiet"] }))
    .addEdge(START, "one").addEdge(START, "two").addEdge(START, "quiet")
    .compile({ checkpointer: saver });
  await graph.invoke({ topics: [] }, at("two questions"));
  return [graph, ["two questions"]];
}

async function failing(saver) {
  const graph = new StateGraph(State)
    .addNode("fine", () => ({ jokes: ["fine"] }))
    .addNode("fail", () => { throw new Error("no luck"); })
    .addEdge(START, "fine").addEdge(START, "fail")
    .compile({ checkpointer: saver });
  await graph.invoke({ topics: [] }, at("failing")).catch(() => null);
  return [graph, ["failing"]];
}

async function stopped(saver) {
  const graph = new StateGraph(State)
    .addNode("one", () => ({ jokes: [1] }))
    .addNode("two", () => ({ jokes: [2] }))
    .addEdge(START, "one").addEdge("one", "two")
    .compile({ checkpointer: saver, interruptBefore: ["two"] });
  await graph.invoke({ topics: [] }, at("stopped"));
  return [graph, ["stopped"]];
}

async function nested(saver) {
  const inner = new StateGraph(State).addNode("ask", () => ({ jokes: [interrupt("sure?")] })).addEdge(START, "ask").compile();
  const graph = new StateGraph(State).addNode("review", inner).addEdge(START, "review").compile({ checkpointer: saver });
  await graph.invoke({ topics: ["x"] }, at("nested"));
  return [graph, ["nested"]];
}

async function odd(saver) {
  const value = { bytes: new Uint8Array([1, 2, 255]), nothing: undefined, set: new Set([1, "b"]), map: new Map([["k", 1]]), when: new Date(0), pattern: /a+/gi, fault: new TypeError("bad"), nan: NaN, none: null, big: 2 ** 60 };
  const graph = new StateGraph(State)
    .addNode("make", () => new Command({ update: { odd: value, jokes: ["made"] }, goto: "end" }), { ends: ["end"] })
    .addNode("end", () => ({}))
    .addEdge(START, "make")
    .compile({ checkpointer: saver });
  await graph.invoke({ topics: [] }, at("odd"));
  return [graph, ["odd"]];
}

async function removed(saver) {
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("remove", () => ({ messages: [new RemoveMessage({ id: "human-1" })] }))
    .addEdge(START, "remove")
    .compile({ checkpointer: saver });
  await graph.invoke({ messages: [new HumanMessage({ id: "human-1", content: "hi" }), new HumanMessage({ id: "human-2", content: "there" })] }, at("removed"));
  return [graph, ["removed"]];
}

async function functional(saver) {
  const double = task("double", async (x) => 2 * x);
  const graph = entrypoint({ name: "flow", checkpointer: saver }, async (x) => {
    const doubled = await double(x);
    return x < 2 ? doubled : interrupt(doubled);
  });
  await graph.invoke(1, at("functional"));
  await graph.invoke(2, at("functional asks"));
  return [graph, ["functional", "functional asks"]];
}

function said(state) {
  return {
    id: state.config.configurable.checkpoint_id,
    parent: state.parentConfig?.configurable?.checkpoint_id ?? null,
    next: state.next,
    tasks: state.tasks.map((t) => ({ id: t.id, name: t.name, error: t.error === undefined ? null : (t.error.message ?? String(t.error)), asks: t.interrupts.map((i) => ({ id: i.id ?? null, value: i.value })) })),
    values: JSON.parse(JSON.stringify(state.values)),
  };
}

const [target] = process.argv.slice(2);
const opened = async () => (await import("@langchain/langgraph-checkpoint-postgres")).PostgresSaver.fromConnString(target);
const saver = target.startsWith("postgres") ? await opened() : SqliteSaver.fromConnString(target);
await saver.setup();
const truth = {};
for (const make of [chat, fanOut, asking, twoQuestions, failing, stopped, nested, odd, removed, functional]) {
  const [graph, threads] = await make(saver);
  for (const thread of threads) {
    truth[thread] = [];
    for await (const state of graph.getStateHistory(at(thread))) truth[thread].push(said(state));
  }
}
if (target.startsWith("postgres")) await saver.end();
else for (const statement of ["wal_checkpoint(TRUNCATE)", "journal_mode=DELETE"]) saver.db.pragma(statement);
fs.writeFileSync(target.startsWith("postgres") ? "langgraph-js-postgres.json" : target.replace(".sqlite", ".json"), JSON.stringify(truth, null, 1));
