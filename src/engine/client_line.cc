#include "engine/client_line.h"

#include <fmt/format.h>

#include <iterator>

#include "engine/acl_user.h"
#include "engine/blocking.h"
#include "engine/session_subscriber.h"
#include "engine/session_tracking.h"
#include "engine/tracking.h"

namespace pinyon {

namespace {

size_t CountTopics(const Session& session, TopicKind kind) {
  return session.subscriber == nullptr ? 0 : session.subscriber->count(kind);
}

std::string FlagsOf(const Session& session, const ServerControl::ConnectionInfo& info) {
  std::string flags;
  if (session.subscriber != nullptr) flags += 'P';
  if (session.transaction.active()) flags += 'x';
  if (session.suspension != nullptr) flags += 'b';
  if (const SessionTracking* tracking = session.tracking.get()) {
    flags += 't';
    if (tracking->redirect_broken) flags += 'R';
    if (tracking->broadcast) flags += 'B';
  }
  if (session.transaction.watched_changed()) flags += 'd';
  if (session.closing) flags += 'c';
  if (info.unix_socket) flags += 'U';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

}  // namespace

std::string ClientLine(ServerControl& server, const Session& session, Args args, int64_t now_ms) {
  const ServerControl::ConnectionInfo info = server.GetConnectionInfo(session);
  size_t argument_bytes = info.argument_bytes;
  for (const std::string_view argument : args) argument_bytes += argument.size();
  if (session.suspension != nullptr) argument_bytes = session.suspension->request.ArgBytes();
  std::string text;
  const Transaction& transaction = session.transaction;
  const int64_t queued = transaction.active() ? static_cast<int64_t>(transaction.size()) : -1;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={}", session.id,
                 info.address, info.local_address, info.fd, session.name,
                 (now_ms - session.created_ms) / 1000, (now_ms - session.last_active_ms) / 1000,
                 FlagsOf(session, info), session.database);
  fmt::format_to(out, " sub={} psub={} ssub={}", CountTopics(session, TopicKind::kChannel),
                 CountTopics(session, TopicKind::kPattern), CountTopics(session, TopicKind::kShardChannel));
  fmt::format_to(out, " multi={} qbuf={} qbuf-free={} argv-mem={} multi-mem={}", queued,
                 info.query_buffer_bytes, info.query_buffer_free, argument_bytes,
                 transaction.active() ? transaction.MemoryBytes() : 0);
  fmt::format_to(out, " rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={}{}", info.reply_buffer_bytes,
                 info.reply_buffer_peak, info.reply_buffer_used, info.output_list_length,
                 info.output_list_bytes, info.total_bytes, info.reading ? "r" : "", info.writing ? "w" : "");
  fmt::format_to(out, " cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
                 session.last_command == nullptr ? "NULL" : session.last_command->name, UserName(session),
                 RedirectOf(session), session.reply.resp3() ? 3 : 2, session.lib_name, session.lib_version);
  return text;
}

}  // namespace pinyon
