// What lies at a path: an RDB file, a file of a log, the manifest of a log, or a folder with any of these;
// told by its bytes, and by its name where these say nothing (an empty file).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/aof_manifest.h"
#include "persist/file_io.h"

namespace pinyon {

enum class PathKind : uint8_t {
  kRdb,  // it begins as one; commands may follow
  kLog,
  kManifest,
  kFolder,
  kUnknown,
};

// "" or why nothing can be said: it is not there, not readable, or neither file nor folder.
std::string RecognisePath(FileSystem& fs, const std::string& path, PathKind* kind);

struct LogPart {
  std::string name;
  std::string path;
  AofFileType type = AofFileType::kBase;
};

// The files of the log that a manifest describes, in the order in which they are read. A base that a server
// was about to move into the folder, having written the manifest, is found where it still lies.
// "" or what is wrong with the manifest.
std::string ReadManifest(FileSystem& fs, const std::string& path, AofManifest* manifest,
                         std::vector<LogPart>* parts);

// What a folder of data has for a server, in the order of names.
struct FolderContents {
  std::vector<std::string> manifests;    // in it, or in a folder in it
  std::vector<std::string> single_logs;  // of before Redis 7, *.aof
  std::vector<std::string> snapshots;    // *.rdb
  std::vector<std::string> orphans;      // files of a log whose manifest is not there
  std::vector<std::string> temporary;    // what a server that was killed left
};

std::string ScanFolder(const std::string& path, FolderContents* contents);

}  // namespace pinyon
