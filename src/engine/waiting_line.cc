#include "engine/waiting_line.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/blocking.h"

namespace pinyon {

void WaitingLines::Enter(Session& session, std::span<const LineTicket> tickets) {
  LineMembership& membership = session.suspension->in_line;
  PINYON_ASSERT(membership.places.empty() && !tickets.empty());
  membership.places.reserve(tickets.size());
  for (const LineTicket& ticket : tickets) {
    key_name::Assign(&name_, session.database, ticket.key);
    const auto [it, added] = lines_.try_emplace(name_);
    WaitingLine& line = it->second;
    if (added) line.name = &it->first;
    PINYON_ASSERT(line.last == nullptr || line.last->session != &session);
    LinePlace& place = membership.places.emplace_back(LinePlace{
        .session = &session, .line = &line, .weight = ticket.weight, .previous = line.last, .next = nullptr});
    (line.last == nullptr ? line.first : line.last->next) = &place;
    line.last = &place;
    line.weight += ticket.weight;
    ++line.length;
  }
}

void WaitingLines::Leave(Session& session) {
  LineMembership& membership = session.suspension->in_line;
  ClearWake(session);
  for (LinePlace& place : membership.places) {
    WaitingLine& line = *place.line;
    (place.previous == nullptr ? line.first : place.previous->next) = place.next;
    (place.next == nullptr ? line.last : place.next->previous) = place.previous;
    line.weight -= place.weight;
    --line.length;
  }
  // Only now, as somebody may have stood behind this session in several lines.
  for (const LinePlace& place : membership.places) {
    WaitingLine& line = *place.line;
    if (line.first == nullptr) {
      lines_.erase(lines_.find(*line.name));
    } else if (place.previous == nullptr) {
      OfferToFirst(line);
    }
  }
  membership.places.clear();
}

void WaitingLines::WakeAt(Session& session, int64_t time_us) {
  PINYON_ASSERT(!session.suspension->in_line.places.empty());
  ClearWake(session);
  if (time_us != kNever && IsFirstEverywhere(session)) SetWake(session, time_us);
}

WaitingLines::Ahead WaitingLines::AheadOf(const Session& session, std::string_view key) {
  const WaitingLine* line = lines_.empty() ? nullptr : Find(session.database, key);
  if (line == nullptr) return {};
  const bool stands =
      session.suspension != nullptr &&
      std::any_of(session.suspension->in_line.places.begin(), session.suspension->in_line.places.end(),
                  [line](const LinePlace& place) { return place.line == line; });
  if (!stands) return {.sessions = line->length, .weight = line->weight};
  Ahead ahead;
  for (const LinePlace* place = line->first; place->session != &session; place = place->next) {
    ++ahead.sessions;
    ahead.weight += place->weight;
  }
  return ahead;
}

void WaitingLines::KeyChanged(int database, std::string_view key) {
  if (const WaitingLine* line = Find(database, key); line != nullptr) OfferToFirst(*line);
}

// In the order of the keys' names, as that of the map is random.
void WaitingLines::DatabaseChanged(int database) {
  std::vector<const WaitingLine*> affected;
  for (const auto& [name, line] : lines_) {
    if (key_name::DatabaseOf(name) == database) affected.push_back(&line);
  }
  std::sort(affected.begin(), affected.end(),
            [](const WaitingLine* a, const WaitingLine* b) { return *a->name < *b->name; });
  for (const WaitingLine* line : affected) OfferToFirst(*line);
}

Session* WaitingLines::NextDue(int64_t now_us) {
  while (next_wake_us_ <= now_us && !wakes_.empty()) {
    Session* session = wakes_.begin()->second;
    ClearWake(*session);
    if (!session->closing) return session;
  }
  return nullptr;
}

WaitingLine* WaitingLines::Find(int database, std::string_view key) {
  key_name::Assign(&name_, database, key);
  const auto it = lines_.find(name_);
  return it == lines_.end() ? nullptr : &it->second;
}

void WaitingLines::SetWake(Session& session, int64_t time_us) {
  LineMembership& membership = session.suspension->in_line;
  PINYON_ASSERT(!membership.has_wake);
  membership.wake = wakes_.emplace(time_us, &session);
  membership.has_wake = true;
  NoteNextWake();
}

void WaitingLines::ClearWake(Session& session) {
  LineMembership& membership = session.suspension->in_line;
  if (!membership.has_wake) return;
  wakes_.erase(membership.wake);
  membership.has_wake = false;
  NoteNextWake();
}

bool WaitingLines::IsFirstEverywhere(const Session& session) {
  const std::vector<LinePlace>& places = session.suspension->in_line.places;
  return std::all_of(places.begin(), places.end(),
                     [](const LinePlace& place) { return place.previous == nullptr; });
}

void WaitingLines::OfferToFirst(const WaitingLine& line) {
  Session& session = *line.first->session;
  if (!IsFirstEverywhere(session)) return;
  if (session.suspension->in_line.has_wake && session.suspension->in_line.wake->first == kAtOnce) return;
  ClearWake(session);
  SetWake(session, kAtOnce);
}

}  // namespace pinyon
