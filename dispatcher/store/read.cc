#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

// What read_chunk reads at most: rows, and bytes of output after which it stops early.
constexpr std::size_t kChunkRows = 256;
constexpr std::size_t kChunkBytes = 1u << 20;
constexpr int kCandidatesNamed = 5;

constexpr const char* kSelectSweep =
    "SELECT number,id,started_at,ended_at,total,connect_timeout_ms,auth_timeout_ms,"
    "command_timeout_ms,task_timeout_ms,max_output,host_key_policy,legacy_algorithms,"
    "changes_device,retries,max_auth_failures,retry_unsafe,limited,lease_ms,boot_id,mode,"
    "configuration,dry_run,confirm_within_ms,save,exec,rollout,job,origin,due,"
    "request,guarded FROM sweeps ";

WallTime to_wall_time(std::int64_t column) { return WallTime(Milliseconds(column)); }

std::string text_at(SQLite::Statement& row, int column) {
  return row.getColumn(column).getString();
}

std::string_view bytes_at(SQLite::Statement& row, int column) {
  const SQLite::Column value = row.getColumn(column);
  const auto* data = static_cast<const char*>(value.getBlob());
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(value.getBytes())};
}

std::int64_t number_at(SQLite::Statement& row, int column) {
  return row.getColumn(column).getInt64();
}

Outcome outcome_at(SQLite::Statement& row, int column) {
  const auto outcome = outcome_from_name(bytes_at(row, column));
  if (!outcome) throw StoreFailure("a row holds an unknown outcome");
  return *outcome;
}

HostKeyPolicy policy_at(SQLite::Statement& row, int column) {
  const auto policy = std::ranges::find(kPolicies, bytes_at(row, column));
  if (policy == kPolicies.end()) throw StoreFailure("a row holds an unknown host key policy");
  return static_cast<HostKeyPolicy>(policy - kPolicies.begin());
}

// Each line has its end.
std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

const std::vector<std::string>& Store::Impl::commands_of(std::uint32_t sweep) {
  if (commands_sweep != sweep) {
    commands = read_commands(sweep);
    commands_sweep = sweep;
  }
  return commands;
}

std::vector<std::string> Store::Impl::read_commands(std::uint32_t sweep) {
  SQLite::Statement select(database,
                           "SELECT command FROM sweep_commands WHERE sweep=? ORDER BY position");
  select.bind(1, sweep);
  std::vector<std::string> found;
  while (select.executeStep()) found.push_back(text_at(select, 0));
  return found;
}

std::vector<ExpectedQuestion> Store::Impl::read_answers(std::uint32_t sweep) {
  SQLite::Statement select(
      database, "SELECT pattern,reply FROM sweep_answers WHERE sweep=? ORDER BY position");
  select.bind(1, sweep);
  std::vector<ExpectedQuestion> found;
  while (select.executeStep()) found.push_back({text_at(select, 0), text_at(select, 1)});
  return found;
}

std::vector<JumpHost> Store::Impl::read_jumps(std::uint32_t sweep) {
  SQLite::Statement select(
      database,
      "SELECT name,address,port,user,credential,via,weight,max_connections,max_channels,"
      "host_key_policy,legacy_algorithms,ssh_options FROM sweep_jumps WHERE sweep=? ORDER BY name");
  select.bind(1, sweep);
  const auto count_at = [&](int column) {
    return static_cast<std::uint32_t>(number_at(select, column));
  };
  std::vector<JumpHost> found;
  while (select.executeStep()) {
    found.push_back({.name = text_at(select, 0),
                     .address = text_at(select, 1),
                     .port = static_cast<std::uint16_t>(number_at(select, 2)),
                     .user = text_at(select, 3),
                     .credential = text_at(select, 4),
                     .via = text_at(select, 5),
                     .weight = count_at(6),
                     .max_connections = count_at(7),
                     .max_channels = count_at(8),
                     .host_key_policy = policy_at(select, 9),
                     .legacy_algorithms = number_at(select, 10) != 0,
                     .ssh_options = text_at(select, 11)});
  }
  return found;
}

std::string Store::Impl::read_body(std::int64_t number) {
  SQLite::Statement select(database, "SELECT size,compressed,content FROM bodies WHERE number=?");
  select.bind(1, number);
  std::string body;
  if (!select.executeStep() ||
      !codec.unpack(bytes_at(select, 2), number_at(select, 1) != 0,
                    static_cast<std::uint64_t>(number_at(select, 0)), body)) {
    throw StoreFailure(fmt::format("configuration {} is damaged", number));
  }
  return body;
}

SharedText Store::Impl::text_of(std::int64_t body) {
  if (texts_of_bodies.size() >= kTextsKept) texts_of_bodies.clear();
  const auto known = texts_of_bodies.find(body);
  if (known != texts_of_bodies.end()) return known->second;
  return texts_of_bodies.emplace(body, read_body(body)).first->second;
}

SweepRecord Store::Impl::read_sweep(SQLite::Statement& row) {
  SweepRecord record;
  record.number = static_cast<std::uint32_t>(number_at(row, 0));
  record.id = text_at(row, 1);
  record.started_at = to_wall_time(number_at(row, 2));
  if (!row.isColumnNull(3)) record.ended_at = to_wall_time(number_at(row, 3));
  record.total = static_cast<std::uint32_t>(number_at(row, 4));
  JobSpec& job = record.job;
  job.sweep = record.id;
  job.timeouts.connect = Milliseconds(number_at(row, 5));
  job.timeouts.auth = Milliseconds(number_at(row, 6));
  job.timeouts.command = Milliseconds(number_at(row, 7));
  job.timeouts.task = Milliseconds(number_at(row, 8));
  job.max_output = static_cast<std::uint64_t>(number_at(row, 9));
  job.host_key_policy = policy_at(row, 10);
  job.legacy_algorithms = number_at(row, 11) != 0;
  job.changes_device = number_at(row, 12) != 0;
  job.commands = read_commands(record.number);
  record.retries = static_cast<std::uint32_t>(number_at(row, 13));
  record.max_auth_failures = static_cast<std::uint32_t>(number_at(row, 14));
  record.retry_unsafe = number_at(row, 15) != 0;
  record.limited = number_at(row, 16) != 0;
  record.lease = Milliseconds(number_at(row, 17));
  record.boot_id = text_at(row, 18);
  job.mode = text_at(row, 19);
  if (!row.isColumnNull(20)) job.configuration.lines = split_lines(read_body(number_at(row, 20)));
  job.configuration.dry_run = number_at(row, 21) != 0;
  if (!row.isColumnNull(22)) job.configuration.confirm_within = Milliseconds(number_at(row, 22));
  job.configuration.save = number_at(row, 23) != 0;
  job.exec = number_at(row, 24) != 0;
  record.rollout = text_at(row, 25);
  record.job_name = text_at(row, 26);
  record.origin = text_at(row, 27);
  if (!row.isColumnNull(28)) record.due = to_wall_time(number_at(row, 28));
  record.request = text_at(row, 29);
  record.guarded = number_at(row, 30) != 0;
  job.answers = read_answers(record.number);
  job.jumps = read_jumps(record.number);
  return record;
}

std::optional<SweepRecord> Store::Impl::sweep_with_id(const std::string& id) {
  SQLite::Statement select(database, std::string(kSelectSweep) + "WHERE id=?");
  select.bindNoCopy(1, id);
  if (!select.executeStep()) return std::nullopt;
  return read_sweep(select);
}

std::vector<SweepRecord> Store::Impl::sweeps_where(
    const std::string& condition, std::initializer_list<std::string_view> parameters) {
  SQLite::Statement select(database, kSelectSweep + condition);
  int position = 1;
  for (const std::string_view parameter : parameters) {
    select.bind(position++, std::string(parameter));
  }
  std::vector<SweepRecord> found;
  while (select.executeStep()) found.push_back(read_sweep(select));
  return found;
}

Store::Impl::Candidates Store::Impl::candidates(const std::string& beginning) {
  SQLite::Statement select(database,
                           "SELECT id,count(*) OVER () FROM sweeps WHERE substr(id,1,length(?1))=?1"
                           " ORDER BY number DESC LIMIT ?2");
  select.bindNoCopy(1, beginning);
  select.bind(2, kCandidatesNamed);
  Candidates found;
  while (select.executeStep()) {
    found.ids.push_back(text_at(select, 0));
    found.count = static_cast<std::size_t>(number_at(select, 1));
  }
  return found;
}

std::string Store::Impl::Candidates::named() const {
  const std::string list = fmt::format("{}", fmt::join(ids, ", "));
  return count > ids.size() ? fmt::format("{} and {} more", list, count - ids.size()) : list;
}

std::vector<CommandResult> Store::Impl::read_outputs(std::uint32_t sweep, std::int64_t key,
                                                     std::size_t& bytes) {
  std::vector<CommandResult> found;
  const Use use(outputs);
  outputs.bind(1, key);
  while (outputs.executeStep()) {
    CommandResult command;
    const auto& planned = commands_of(sweep);
    if (!outputs.isColumnNull(0)) {
      command.command = text_at(outputs, 0);
    } else if (found.size() < planned.size()) {
      command.command = planned[found.size()];
    }
    command.outcome = outcome_at(outputs, 1);
    command.duration = Milliseconds(number_at(outputs, 2));
    command.truncated = number_at(outputs, 3) != 0;
    command.output =
        outputs.isColumnNull(5) ? OutputText(bytes_at(outputs, 4)) : read_output(outputs);
    bytes += command.output.memory().size();
    found.push_back(std::move(command));
  }
  return found;
}

// The body of a row of `outputs`.
OutputText Store::Impl::read_output(SQLite::Statement& row) {
  const std::int64_t body = number_at(row, 5);
  const auto size = static_cast<std::uint64_t>(number_at(row, 6));
  if (number_at(row, 7) == static_cast<int>(Packing::kInPieces)) return read_pieces(body, size);
  std::string text;
  if (!codec.unpack(bytes_at(row, 8), number_at(row, 7) != 0, size, text)) {
    throw StoreFailure(fmt::format("output {} is damaged", body));
  }
  return text;
}

OutputText Store::Impl::read_pieces(std::int64_t body, std::uint64_t size) {
  OutputText output;
  std::string piece;
  const Use use(pieces);
  pieces.bind(1, body << kPieceBits);
  pieces.bind(2, (body + 1) << kPieceBits);
  while (pieces.executeStep()) {
    if (!codec.unpack(bytes_at(pieces, 2), number_at(pieces, 1) != 0,
                      static_cast<std::uint64_t>(number_at(pieces, 0)), piece)) {
      break;
    }
    // What the disk does not take stays in memory.
    [[maybe_unused]] const auto kept = output.append(piece, *spool);
  }
  if (output.size() != size) throw StoreFailure(fmt::format("output {} is damaged", body));
  return output;
}

std::vector<Store::Impl::Row> Store::Impl::read_chunk(std::uint32_t sweep, std::int64_t first,
                                                      std::int64_t end, With with) {
  std::vector<Row> chunk;
  std::size_t bytes = 0;
  const Use use(rows);
  rows.bind(1, first);
  rows.bind(2, end);
  while (chunk.size() < kChunkRows && bytes < kChunkBytes && rows.executeStep()) {
    Row& row = chunk.emplace_back();
    const std::int64_t key = number_at(rows, 0);
    row.task = {.index = static_cast<std::uint32_t>(key),  // the lower half
                .port = static_cast<std::uint16_t>(number_at(rows, 3)),
                .host = bytes_at(rows, 1),
                .address = {},
                .user = texts(bytes_at(rows, 4)),
                .platform = texts(bytes_at(rows, 5)),
                .region = texts(bytes_at(rows, 6)),
                .credential = texts(bytes_at(rows, 7)),
                .ssh_options = texts(bytes_at(rows, 19))};
    const std::string_view address = bytes_at(rows, 2);
    row.task.address = row.task.host == address ? row.task.host : SharedText(address);
    if (with == With::kConfiguration && !rows.isColumnNull(18)) {
      row.task.configuration = text_of(number_at(rows, 18));
      bytes += row.task.configuration.size();
    }
    if (!rows.isColumnNull(20)) row.task.jump = text_of(number_at(rows, 20));
    if (rows.isColumnNull(8)) continue;
    TaskResult& result = row.result.emplace();
    result.index = row.task.index;
    result.attempt = static_cast<std::uint32_t>(number_at(rows, 8));
    result.outcome = outcome_at(rows, 9);
    result.error = text_at(rows, 10);
    result.worker = text_at(rows, 11);
    result.platform = text_at(rows, 12);
    result.jump = text_at(rows, 13);
    if (!rows.isColumnNull(14)) result.started_at = to_wall_time(number_at(rows, 14));
    result.duration = Milliseconds(number_at(rows, 15));
    result.command_sent = number_at(rows, 16) != 0;
    result.evidence = text_at(rows, 17);
    if (with == With::kOutputs) result.commands = read_outputs(sweep, key, bytes);
  }
  return chunk;
}

std::vector<SweepRecord> Store::Impl::newest_sweeps(std::int64_t limit) {
  SQLite::Statement select(database, std::string(kSelectSweep) + "ORDER BY number DESC LIMIT ?");
  select.bind(1, limit);
  std::vector<SweepRecord> found;
  while (select.executeStep()) found.push_back(read_sweep(select));
  return found;
}

}  // namespace netfleet
