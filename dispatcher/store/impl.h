// dispatcher/store: what is behind Store: the kept statements, rows written (write.cc) and rows
// read (read.cc). Everything here throws what SQLiteCpp throws, or StoreFailure; store.cc turns
// that into an Error.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/output_text.h"
#include "dispatcher/store/body.h"
#include "dispatcher/store/database.h"
#include "dispatcher/store/store.h"

namespace netfleet {

inline constexpr std::size_t kTextsKept = 4096;  // in a memory of texts
inline constexpr std::array<std::string_view, 3> kPolicies = {"strict", "accept-new", "off"};

// What is wrong with the request or the content of a row, not with SQLite.
struct StoreFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// How `bodies.content` holds a body: columns are these numbers.
enum class Packing : std::uint8_t { kPlain, kCompressed, kInPieces };

inline constexpr int kPieceBits = 20;  // of a piece's key, for its position in the body

inline std::int64_t key_of(std::uint32_t sweep, std::uint32_t index) {
  return static_cast<std::int64_t>(sweep) << 32 | index;
}

// Makes a kept statement usable again, however its use ended; an open one would hold a lock.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement) {}
  ~Use() { statement_.tryReset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  SQLite::Statement& statement_;
};

// Inserts many rows: most of them several with one statement, which shares its cost, the rest one
// by one.
class RowInsert {
 public:
  // `insert`: all of the statement before VALUES; `columns`: of a row.
  RowInsert(SQLite::Database& database, const std::string& insert, int columns)
      : columns_(columns),
        several_(database, insert + values(columns, kAtOnce)),
        one_(database, insert + values(columns, 1)) {}

  // `bind(statement, position, row)` binds a row's columns from `position` on; what it binds
  // without a copy must outlive the call.
  template <typename Row, typename Bind>
  void operator()(std::span<const Row> rows, Bind bind) {
    while (!rows.empty()) {
      const std::size_t count = rows.size() < kAtOnce ? 1 : kAtOnce;
      SQLite::Statement& statement = count == 1 ? one_ : several_;
      const Use use(statement);
      int position = 1;
      for (const Row& row : rows.first(count)) {
        bind(statement, position, row);
        position += columns_;
      }
      statement.exec();
      rows = rows.subspan(count);
    }
  }

 private:
  static constexpr std::size_t kAtOnce = 16;
  static std::string values(int columns, std::size_t rows);  // " VALUES(?,?),(?,?)"

  int columns_;
  SQLite::Statement several_;
  SQLite::Statement one_;
};

struct Store::Impl {
  bool recoverable = false;  // whether what failed last may work again
  Impl(std::string file, SQLite::Database opened)
      : path(std::move(file)), database(std::move(opened)) {}

  // Runs `work`, turning what SQLite throws into an Error.
  template <typename Work>
  auto guarded(std::string_view doing, Work work) -> Expected<std::invoke_result_t<Work>> {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
        work();
        return {};
      } else {
        return work();
      }
    } catch (const std::exception& cause) {
      recoverable = may_pass(cause);
      return std::unexpected(database_error(path, doing, cause));
    }
  }

  void insert_sweep(SweepRecord& record);
  void insert_texts(const SweepRecord& record);  // its commands and answers
  void insert_jumps(const SweepRecord& record);
  void insert_tasks(std::uint32_t sweep, std::span<const TaskSpec> tasks);
  void put_grants(std::uint32_t sweep, std::span<const GrantRecord> grants);
  void insert_results(std::uint32_t sweep, std::span<const TaskResult> results);
  // False: there is one already, which counts.
  bool insert_result(std::uint32_t sweep, const TaskResult& result);
  void remember_platform(std::uint32_t sweep, const TaskResult& result);
  struct Output {
    std::int64_t key;
    std::size_t position;
    const CommandResult* command;
  };
  void bind_output(SQLite::Statement& statement, int first, const Output& output,
                   const std::vector<std::string>& planned);
  // The number of the body with this content, which is added when there is none.
  std::int64_t body_of(std::string_view text);
  std::int64_t body_of(const OutputText& output);
  std::optional<std::int64_t> body_with(const BodyHash& hash);
  std::int64_t insert_body(const BodyHash& hash, std::uint64_t size, Packing packing,
                           std::string_view content);
  void insert_pieces(std::int64_t body, const OutputText& output);
  void bind_body(SQLite::Statement& statement, int position, const SharedText& text);
  std::string read_body(std::int64_t number);
  OutputText read_output(SQLite::Statement& row);
  OutputText read_pieces(std::int64_t body, std::uint64_t size);

  const std::vector<std::string>& commands_of(std::uint32_t sweep);
  std::vector<std::string> read_commands(std::uint32_t sweep);
  std::vector<ExpectedQuestion> read_answers(std::uint32_t sweep);
  std::vector<JumpHost> read_jumps(std::uint32_t sweep);
  SweepRecord read_sweep(SQLite::Statement& row);
  // The body's text, which is shared by all who ask for it.
  SharedText text_of(std::int64_t body);
  std::vector<CommandResult> read_outputs(std::uint32_t sweep, std::int64_t key,
                                          std::size_t& bytes);
  struct Row {
    TaskSpec task;
    std::optional<TaskResult> result;
  };
  enum class With : std::uint8_t { kConfiguration, kOutputs };
  // The rows from key `first` to before `end`, as many as a chunk may hold.
  std::vector<Row> read_chunk(std::uint32_t sweep, std::int64_t first, std::int64_t end, With with);
  std::optional<SweepRecord> sweep_with_id(const std::string& id);
  // Those that `condition`, with its parameters bound, selects.
  std::vector<SweepRecord> sweeps_where(const std::string& condition,
                                        std::initializer_list<std::string_view> parameters);
  void take_firing(const FiringRecord& firing, WallTime taken);
  std::vector<SweepRecord> newest_sweeps(std::int64_t limit);
  // Whose id begins like this, newest first: the first few, and how many there are.
  struct Candidates {
    std::vector<std::string> ids;
    std::size_t count = 0;
    std::string named() const;  // "a, b, c and 4 more"
  };
  Candidates candidates(const std::string& beginning);

  std::string path;
  SQLite::Database database;
  BodyCodec codec;
  std::shared_ptr<Spool> spool = Spool::make(default_spool_directory());  // large outputs, read
  TextPool texts;
  std::uint32_t commands_sweep = 0;  // whose commands `commands` are; no sweep has number 0
  std::vector<std::string> commands;
  // Of configurations and routes that were written or read last, so that equal ones cost once.
  std::unordered_map<const char*, std::int64_t> bodies_of_texts;
  std::unordered_map<std::int64_t, SharedText> texts_of_bodies;

  RowInsert add_tasks{
      database,
      "INSERT INTO tasks(key,host,address,port,user,platform,region,credential,configuration,"
      "ssh_options,jump)",
      11};
  SQLite::Statement add_result{
      database,
      "INSERT INTO results(key,attempt,outcome,error,worker,platform,jump,started_at,duration_ms,"
      "command_sent,evidence) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"};
  RowInsert add_outputs{
      database,
      "INSERT INTO outputs(key,position,command,outcome,duration_ms,truncated,short,body)", 8};
  RowInsert replace_grants{
      database, "INSERT OR REPLACE INTO grants(key,attempt,owner,deaths,retries_used)", 5};
  SQLite::Statement put_detection{
      database,
      "INSERT OR REPLACE INTO detections(address,port,user,host_key,platform,found_at)"
      " SELECT address,port,user,?,?,? FROM tasks WHERE key=? AND platform='auto'"};
  SQLite::Statement forget_detection{
      database,
      "DELETE FROM detections WHERE (address,port,user) ="
      " (SELECT address,port,user FROM tasks WHERE key=? AND platform='auto')"};
  SQLite::Statement find_body{database, "SELECT number FROM bodies WHERE hash=?"};
  SQLite::Statement add_body{database,
                             "INSERT INTO bodies(hash,size,compressed,content) VALUES(?,?,?,?)"};
  SQLite::Statement add_piece{database,
                              "INSERT INTO pieces(key,size,compressed,content) VALUES(?,?,?,?)"};
  SQLite::Statement pieces{database,
                           "SELECT size,compressed,content FROM pieces WHERE key>=? AND key<?"
                           " ORDER BY key"};
  SQLite::Statement rows{
      database,
      "SELECT t.key,t.host,t.address,t.port,t.user,t.platform,t.region,t.credential,"
      "r.attempt,r.outcome,r.error,r.worker,r.platform,r.jump,r.started_at,r.duration_ms,"
      "r.command_sent,r.evidence,t.configuration,t.ssh_options,t.jump FROM tasks t LEFT JOIN "
      "results r ON "
      "r.key=t.key"
      " WHERE t.key>=? AND t.key<? ORDER BY t.key"};
  SQLite::Statement outputs{
      database,
      "SELECT o.command,o.outcome,o.duration_ms,o.truncated,o.short,o.body,b.size,b.compressed,"
      "b.content FROM outputs o LEFT JOIN bodies b ON b.number=o.body WHERE o.key=?"
      " ORDER BY o.position"};
};

}  // namespace netfleet
