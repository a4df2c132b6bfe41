#include <limits>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

// An output up to this size lies in its own row: a hash would be as long.
constexpr std::size_t kShortOutput = 64;

std::int64_t to_column(WallTime time) { return time.time_since_epoch().count(); }

void bind_or_null(SQLite::Statement& statement, int position, const std::string& text) {
  if (text.empty()) {
    statement.bind(position);
  } else {
    statement.bindNoCopy(position, text);
  }
}

void bind_or_null(SQLite::Statement& statement, int position, const SharedText& text) {
  if (text.empty()) {
    statement.bind(position);
  } else {
    statement.bindNoCopy(position, text.c_str());
  }
}

void bind_blob(SQLite::Statement& statement, int position, std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw StoreFailure("an output of more than 2 GiB");
  }
  // A null pointer would be NULL.
  statement.bindNoCopy(position, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()));
}

std::string_view bytes_of(const BodyHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

void Store::Impl::insert_sweep(SweepRecord& record) {
  const JobSpec& job = record.job;
  SQLite::Statement insert(
      database,
      "INSERT INTO sweeps(id,started_at,ended_at,total,connect_timeout_ms,auth_timeout_ms,"
      "command_timeout_ms,task_timeout_ms,max_output,host_key_policy,legacy_algorithms,"
      "changes_device,retries,max_auth_failures,retry_unsafe,limited,lease_ms,boot_id,mode,"
      "configuration,dry_run,confirm_within_ms,save,exec,rollout,"
      "job,origin,due,request)"
      " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.bindNoCopy(1, record.id);
  insert.bind(2, to_column(record.started_at));
  if (record.ended_at) insert.bind(3, to_column(*record.ended_at));
  insert.bind(4, record.total);
  insert.bind(5, static_cast<std::int64_t>(job.timeouts.connect.count()));
  insert.bind(6, static_cast<std::int64_t>(job.timeouts.auth.count()));
  insert.bind(7, static_cast<std::int64_t>(job.timeouts.command.count()));
  insert.bind(8, static_cast<std::int64_t>(job.timeouts.task.count()));
  insert.bind(9, static_cast<std::int64_t>(job.max_output));
  insert.bind(10, std::string(kPolicies[static_cast<std::size_t>(job.host_key_policy)]));
  insert.bind(11, job.legacy_algorithms ? 1 : 0);
  insert.bind(12, job.changes_device ? 1 : 0);
  insert.bind(13, record.retries);
  insert.bind(14, record.max_auth_failures);
  insert.bind(15, record.retry_unsafe ? 1 : 0);
  insert.bind(16, record.limited ? 1 : 0);
  insert.bind(17, static_cast<std::int64_t>(record.lease.count()));
  bind_or_null(insert, 18, record.boot_id);
  bind_or_null(insert, 19, job.mode);
  const Configuration& configuration = job.configuration;
  std::string lines;
  for (const std::string& line : configuration.lines) lines.append(line).append(1, '\n');
  if (!lines.empty()) insert.bind(20, body_of(std::string_view(lines)));
  insert.bind(21, configuration.dry_run ? 1 : 0);
  if (configuration.confirm_within) {
    insert.bind(22, static_cast<std::int64_t>(configuration.confirm_within->count()));
  }
  insert.bind(23, configuration.save ? 1 : 0);
  insert.bind(24, job.exec ? 1 : 0);
  bind_or_null(insert, 25, record.rollout);
  bind_or_null(insert, 26, record.job_name);
  bind_or_null(insert, 27, record.origin);
  if (record.due) insert.bind(28, to_column(*record.due));
  bind_or_null(insert, 29, record.request);
  insert.exec();
  record.number = static_cast<std::uint32_t>(database.getLastInsertRowid());

  insert_texts(record);
  insert_jumps(record);
}

void Store::Impl::insert_texts(const SweepRecord& record) {
  const JobSpec& job = record.job;
  SQLite::Statement add_command(database,
                                "INSERT INTO sweep_commands(sweep,position,command) VALUES(?,?,?)");
  for (std::size_t i = 0; i < job.commands.size(); ++i) {
    add_command.bind(1, record.number);
    add_command.bind(2, static_cast<std::int64_t>(i));
    add_command.bindNoCopy(3, job.commands[i]);
    add_command.exec();
    add_command.reset();
  }
  SQLite::Statement add_answer(
      database, "INSERT INTO sweep_answers(sweep,position,pattern,reply) VALUES(?,?,?,?)");
  for (std::size_t i = 0; i < job.answers.size(); ++i) {
    add_answer.bind(1, record.number);
    add_answer.bind(2, static_cast<std::int64_t>(i));
    add_answer.bindNoCopy(3, job.answers[i].pattern);
    add_answer.bindNoCopy(4, job.answers[i].reply);
    add_answer.exec();
    add_answer.reset();
  }
}

void Store::Impl::insert_jumps(const SweepRecord& record) {
  SQLite::Statement insert(
      database,
      "INSERT INTO sweep_jumps(sweep,name,address,port,user,credential,via,weight,max_connections,"
      "max_channels,host_key_policy,legacy_algorithms,ssh_options)"
      " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const JumpHost& host : record.job.jumps) {
    const Use use(insert);
    insert.bind(1, record.number);
    insert.bindNoCopy(2, host.name);
    insert.bindNoCopy(3, host.address);
    insert.bind(4, static_cast<int>(host.port));
    insert.bindNoCopy(5, host.user);
    insert.bindNoCopy(6, host.credential);
    bind_or_null(insert, 7, host.via);
    insert.bind(8, host.weight);
    insert.bind(9, host.max_connections);
    insert.bind(10, host.max_channels);
    insert.bind(11, std::string(kPolicies[static_cast<std::size_t>(host.host_key_policy)]));
    insert.bind(12, host.legacy_algorithms ? 1 : 0);
    bind_or_null(insert, 13, host.ssh_options);
    insert.exec();
  }
}

std::string RowInsert::values(int columns, std::size_t rows) {
  std::string row = ",(?";
  for (int i = 1; i < columns; ++i) row += ",?";
  row += ')';
  std::string all;
  for (std::size_t i = 0; i < rows; ++i) all += row;
  all.front() = ' ';
  return " VALUES" + all;
}

void Store::Impl::insert_tasks(std::uint32_t sweep, std::span<const TaskSpec> tasks) {
  bodies_of_texts.clear();  // it goes by addresses, which others had before
  add_tasks(tasks, [&](SQLite::Statement& row, int at, const TaskSpec& task) {
    row.bind(at, key_of(sweep, task.index));
    row.bindNoCopy(at + 1, task.host.c_str());
    row.bindNoCopy(at + 2, task.address.c_str());
    row.bind(at + 3, static_cast<int>(task.port));
    row.bindNoCopy(at + 4, task.user.c_str());
    row.bindNoCopy(at + 5, task.platform.c_str());
    bind_or_null(row, at + 6, task.region);
    bind_or_null(row, at + 7, task.credential);
    bind_body(row, at + 8, task.configuration);
    bind_or_null(row, at + 9, task.ssh_options);
    bind_body(row, at + 10, task.jump);
  });
}

void Store::Impl::bind_body(SQLite::Statement& statement, int position, const SharedText& text) {
  if (text.empty()) return statement.bind(position);
  if (bodies_of_texts.size() >= kTextsKept) bodies_of_texts.clear();
  const auto known = bodies_of_texts.find(text.data());
  const std::int64_t number = known != bodies_of_texts.end() ? known->second : body_of(text.view());
  bodies_of_texts.emplace(text.data(), number);
  statement.bind(position, number);
}

void Store::Impl::insert_results(std::uint32_t sweep, std::span<const TaskResult> results) {
  std::vector<Output> outputs_of_new;
  outputs_of_new.reserve(results.size());
  for (const TaskResult& result : results) {
    if (!insert_result(sweep, result)) continue;
    remember_platform(sweep, result);
    for (std::size_t i = 0; i < result.commands.size(); ++i) {
      outputs_of_new.push_back({key_of(sweep, result.index), i, &result.commands[i]});
    }
  }
  const auto& planned = commands_of(sweep);
  add_outputs(std::span<const Output>(outputs_of_new),
              [&](SQLite::Statement& row, int first, const Output& output) {
                bind_output(row, first, output, planned);
              });
}

bool Store::Impl::insert_result(std::uint32_t sweep, const TaskResult& result) {
  const Use use(add_result);
  add_result.bind(1, key_of(sweep, result.index));
  add_result.bind(2, result.attempt);
  add_result.bindNoCopy(3, outcome_name(result.outcome).data());  // a literal, so it ends in NUL
  bind_or_null(add_result, 4, result.error);
  bind_or_null(add_result, 5, result.worker);
  bind_or_null(add_result, 6, result.platform);
  bind_or_null(add_result, 7, result.jump);
  if (result.started_at) {
    add_result.bind(8, to_column(*result.started_at));
  } else {
    add_result.bind(8);
  }
  add_result.bind(9, static_cast<std::int64_t>(result.duration.count()));
  add_result.bind(10, result.command_sent ? 1 : 0);
  bind_or_null(add_result, 11, result.evidence);
  return add_result.exec() > 0;
}

void Store::Impl::bind_output(SQLite::Statement& statement, int first, const Output& output,
                              const std::vector<std::string>& planned) {
  const CommandResult& command = *output.command;
  const bool as_planned =
      output.position < planned.size() && planned[output.position] == command.command;
  statement.bind(first, output.key);
  statement.bind(first + 1, static_cast<std::int64_t>(output.position));
  if (as_planned) {
    statement.bind(first + 2);
  } else {
    statement.bindNoCopy(first + 2, command.command);
  }
  statement.bindNoCopy(first + 3, outcome_name(command.outcome).data());
  statement.bind(first + 4, static_cast<std::int64_t>(command.duration.count()));
  statement.bind(first + 5, command.truncated ? 1 : 0);
  if (command.output.size() <= kShortOutput && !command.output.is_spooled()) {
    bind_blob(statement, first + 6, command.output.memory());
    statement.bind(first + 7);
  } else {
    statement.bind(first + 6);
    statement.bind(first + 7, body_of(command.output));
  }
}

std::int64_t Store::Impl::body_of(std::string_view text) {
  const BodyHash hash = codec.hash(text);
  if (const auto known = body_with(hash)) return *known;
  const PackedBody packed = codec.pack(text);
  return insert_body(hash, text.size(), packed.compressed ? Packing::kCompressed : Packing::kPlain,
                     packed.bytes);
}

std::int64_t Store::Impl::body_of(const OutputText& output) {
  if (!output.is_spooled() && output.size() <= OutputText::kMostInMemory) {
    return body_of(std::string_view(output.memory()));
  }
  codec.begin_hash();
  const auto read = output.read([this](std::string_view piece) { codec.add_to_hash(piece); });
  if (!read) throw StoreFailure(read.error().message);
  const BodyHash hash = codec.end_hash();
  if (const auto known = body_with(hash)) return *known;
  const std::int64_t body = insert_body(hash, output.size(), Packing::kInPieces, {});
  insert_pieces(body, output);
  return body;
}

std::optional<std::int64_t> Store::Impl::body_with(const BodyHash& hash) {
  const Use use(find_body);
  bind_blob(find_body, 1, bytes_of(hash));
  if (!find_body.executeStep()) return std::nullopt;
  return find_body.getColumn(0).getInt64();
}

std::int64_t Store::Impl::insert_body(const BodyHash& hash, std::uint64_t size, Packing packing,
                                      std::string_view content) {
  const Use use(add_body);
  bind_blob(add_body, 1, bytes_of(hash));
  add_body.bind(2, static_cast<std::int64_t>(size));
  add_body.bind(3, static_cast<int>(packing));
  bind_blob(add_body, 4, content);
  add_body.exec();
  return database.getLastInsertRowid();
}

void Store::Impl::insert_pieces(std::int64_t body, const OutputText& output) {
  std::int64_t key = body << kPieceBits;
  const auto read = output.read([&](std::string_view piece) {
    if (key >= (body + 1) << kPieceBits) throw StoreFailure("an output of too many pieces");
    const PackedBody packed = codec.pack(piece);
    const Use use(add_piece);
    add_piece.bind(1, key++);
    add_piece.bind(2, static_cast<std::int64_t>(piece.size()));
    add_piece.bind(3, packed.compressed ? 1 : 0);
    bind_blob(add_piece, 4, packed.bytes);
    add_piece.exec();
  });
  if (!read) throw StoreFailure(read.error().message);
}

}  // namespace netfleet
