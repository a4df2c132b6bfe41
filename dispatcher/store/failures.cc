// What went wrong with the database, in words.
#include <fmt/format.h>
#include <sqlite3.h>

#include "dispatcher/store/database.h"

namespace netfleet {

bool may_pass(const std::exception& cause) {
  const auto* error = dynamic_cast<const SQLite::Exception*>(&cause);
  if (error == nullptr) return false;
  const int code = error->getErrorCode() & 0xff;
  return code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY ||
         code == SQLITE_LOCKED;
}

Error database_error(const std::string& path, std::string_view doing, const std::exception& cause) {
  std::string why = cause.what();
  if (const auto* error = dynamic_cast<const SQLite::Exception*>(&cause)) {
    switch (error->getErrorCode() & 0xff) {  // the low byte is the primary code
      case SQLITE_FULL:
        why = "the disk is full";
        break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        why = "locked by another process for longer than 60 s";
        break;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        why = fmt::format("the file is damaged, or no netfleet store ({})", error->what());
        break;
      default:
        break;
    }
  }
  return Error{
      fmt::format("store {}: cannot {}: {}", path.empty() ? "(temporary)" : path, doing, why)};
}

}  // namespace netfleet
