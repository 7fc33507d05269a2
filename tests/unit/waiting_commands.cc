#include "waiting_commands.h"

#include <string>

#include "engine/call.h"

namespace pinyon {

namespace {

// TAKE key [key ...] timeout: deletes the first key that is there and replies its name and value.
void Take(Call& call) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(call.argc() - 1, &timeout_ms)) return;
  const Args keys = call.args.subspan(1, call.argc() - 2);
  for (const std::string_view key : keys) {
    if (!call.MayServeFrom(key)) continue;
    EntryRef ref = call.FindForWrite(key, call.db.Hash(key));
    if (!ref) continue;
    if (!call.CheckType(ref, ValueType::kString)) return;
    IntegerText digits;
    call.reply.ArrayHeader(2);
    call.reply.Bulk(key);
    call.reply.Bulk(ref->StringBytes(digits));
    call.db.Delete(ref);
    call.Changed(kNotifyGeneric, "take", key);
    call.PropagateAs({"DEL", key});
    return;
  }
  call.Block(keys, ValueType::kString, timeout_ms);
}

// PASS source destination timeout: as Take, but the value goes to another key.
void Pass(Call& call) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(3, &timeout_ms)) return;
  const EntryRef ref = call.FindForWrite(1);
  if (!ref)
    return call.Block(call.args.subspan(1, 1), ValueType::kString, timeout_ms, Call::NullReply::kBulk);
  IntegerText digits;
  const std::string value(ref->StringBytes(digits));
  call.db.Delete(ref);
  call.db.SetString(call.args[2], value, kNoExpiry);
  call.Changed(kNotifyGeneric, "pass_from", call.args[1]);
  call.Changed(kNotifyGeneric, "pass_to", call.args[2]);
  call.reply.Bulk(value);
}

// TAKEIF key value timeout: waits on unless the key holds that very value.
void TakeIf(Call& call) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(3, &timeout_ms)) return;
  const EntryRef ref = call.FindForWrite(1);
  IntegerText digits;
  if (!ref || ref->StringBytes(digits) != call.args[2])
    return call.Block(call.args.subspan(1, 1), ValueType::kString, timeout_ms);
  call.db.Delete(ref);
  call.Changed(kNotifyGeneric, "take", call.args[1]);
  call.reply.Ok();
}

// TAKELIST key timeout: waits for a list, which never comes.
void TakeList(Call& call) { call.Block(call.args.subspan(1, 1), ValueType::kList, 0); }

constexpr CommandSpec kCommands[] = {
    {.name = "take",
     .arity = -3,
     .flags = kWrite | kBlocking,
     .handler = Take,
     .keys = {KeysFrom(1, kKeyRW, -2)}},
    {.name = "pass", .arity = 4, .flags = kWrite | kBlocking, .handler = Pass, .keys = {KeyAt(1, kKeyRW)}},
    {.name = "takeif",
     .arity = 4,
     .flags = kWrite | kBlocking,
     .handler = TakeIf,
     .keys = {KeyAt(1, kKeyRW)}},
    {.name = "takelist",
     .arity = 3,
     .flags = kWrite | kBlocking,
     .handler = TakeList,
     .keys = {KeyAt(1, kKeyRW)}},
};

}  // namespace

std::span<const CommandSpec> WaitingCommands() { return kCommands; }

}  // namespace pinyon
