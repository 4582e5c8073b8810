/** The messages that the page speaks, from the generated files. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FRAME_BYTES } from "../../src/gen/limits";
import {
  type ClientFrame,
  ClientFrameSchema,
  type GatewayFrame,
  GatewayFrameSchema,
} from "../../src/gen/proto/zuoxi/v1/frame_pb";

export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
export { type Accepted, ActKind, type Answer, type Refused } from "../../src/gen/proto/zuoxi/v1/act_pb";
export {
  AuthorRole,
  type Entry,
  EntryKind,
  EntrySchema,
  AssignmentContentSchema,
  CloseContentSchema,
  CloseReason,
  MessageContentSchema,
  RecallContentSchema,
} from "../../src/gen/proto/zuoxi/v1/entry_pb";
export { GoingAway_Reason, type GatewayFrame } from "../../src/gen/proto/zuoxi/v1/frame_pb";
export { type Push } from "../../src/gen/proto/zuoxi/v1/feed_pb";
export {
  type Block,
  BlockCodec,
  BlockEntriesSchema,
  BlockSchema,
  type Compared,
  type EntriesPage,
} from "../../src/gen/proto/zuoxi/v1/history_pb";
export {
  CustomerState_Stage as Stage,
  MemberRole,
  type CustomerState,
  type Position,
} from "../../src/gen/proto/zuoxi/v1/people_pb";
export { Advice, type Problem, ProblemCode, RefusalCode } from "../../src/gen/proto/zuoxi/v1/problem_pb";
export { type Hello, type LoggedIn } from "../../src/gen/proto/zuoxi/v1/session_pb";

/** One WebSocket message is one frame; none: what came is no frame. */
export const decodeFrame = (bytes: Uint8Array): GatewayFrame | null => {
  if (bytes.length > FRAME_BYTES) return null;
  try {
    return fromBinary(GatewayFrameSchema, bytes);
  } catch {
    return null;
  }
};

export type ClientKind = NonNullable<Parameters<typeof create<typeof ClientFrameSchema>>[1]>["kind"];

export const encodeFrame = (frame: ClientFrame): Uint8Array => toBinary(ClientFrameSchema, frame);

export const newFrame = (): ClientFrame => create(ClientFrameSchema, {});
