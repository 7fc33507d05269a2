// What commands ask of the server as a whole, implemented by server/ (a floor above).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/memory_report.h"

namespace pinyon {

class Session;

class ServerControl {
 public:
  virtual ~ServerControl() = default;

  // INFO's text for the given sections (none: the default ones).
  virtual std::string Info(std::span<const std::string_view> sections) = 0;
  // What memory is used for; looks at every client and every segment of tables.
  virtual MemoryReport GetMemoryReport() = 0;
  // MEMORY PURGE: gives back all memory that nothing is in.
  virtual void PurgeMemory() = 0;
  // CONFIG RESETSTAT.
  virtual void ResetStats() = 0;
  // Starts a clean stop; the process exits with 0. `flags` are ShutdownFlags. Returns false when that is
  // refused because data would be lost.
  virtual bool Shutdown(int flags) = 0;
  // Closes a session's connection: after what it is owed was sent, or at once.
  virtual void CloseSession(Session& session, bool at_once) = 0;
  // A session that was suspended goes on: its reply was written, what it sent meanwhile may be executed.
  virtual void OnSessionResumed(Session& session) = 0;
  // A session is about to be given something outside of its own requests (a published message): it will be
  // written to at the end of the turn. False when it is owed more than it may be, and so will be cut off.
  virtual bool BeginPush(Session& session) = 0;
  // CONFIG REWRITE; returns an error text, empty when it worked.
  virtual std::string RewriteConfig() = 0;
  // The file that aclfile names; both return an error text, empty when it worked. Writing replaces it whole
  // or not at all.
  virtual std::string ReadAclFile(std::string* text) = 0;
  virtual std::string WriteAclFile(std::string_view text) = 0;
  // Active expiry on or off (DEBUG SET-ACTIVE-EXPIRE).
  virtual void SetActiveExpiry(bool enabled) = 0;
  // Whether tables of keys shrink (DEBUG DICT-RESIZING).
  virtual void SetTableMaintenance(bool enabled) = 0;
  // The connection fields of CLIENT LIST's line for a session, as "addr=... laddr=... fd=...", and buffer
  // sizes.
  struct ConnectionInfo {
    std::string address;
    std::string local_address;
    int fd = -1;
    bool unix_socket = false;
    bool local = false;             // over loopback or a Unix socket
    size_t query_buffer_bytes = 0;  // unparsed bytes
    size_t query_buffer_free = 0;
    size_t argument_bytes = 0;  // of a request that has arrived in part: large arguments that are complete
    size_t reply_buffer_bytes = 0;  // the chunk that replies are being written to, 0: there is none
    size_t reply_buffer_peak = 0;   // what was owed lately at most, up to one chunk
    size_t reply_buffer_used = 0;
    size_t output_list_length = 0;  // pieces of output that are complete
    size_t output_list_bytes = 0;   // memory that they take
    size_t total_bytes = 0;         // memory held for the client
    bool reading = true;
    bool writing = false;
  };
  virtual ConnectionInfo GetConnectionInfo(const Session& session) = 0;
};

}  // namespace pinyon
