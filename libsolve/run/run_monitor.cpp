#include <algorithm>
#include <array>
#include <cmath>
#include <libsolve/run/run_monitor.hpp>
#include <utility>

namespace libsolve {

namespace {
constexpr double agreement_interval_s = 0.1;
/// Calls may become slower after the estimate, as from small systems to large ones. A method over ranks
/// has reductions of its own in each: one more in 256 is nothing.
constexpr double most_calls = 256.0;
/// A snapshot may cost at most this fraction of the time.
constexpr double snapshot_share = 0.05;

double seconds_since(RunMonitor::Clock::time_point t) {
  return std::chrono::duration<double>(RunMonitor::Clock::now() - t).count();
}
}  // namespace

RunMonitor::RunMonitor(Settings settings)
    : settings_(std::move(settings)),
      begin_(Clock::now()),
      history_(std::move(settings_.earlier)),
      next_snapshot_s_(settings_.snapshot_interval_s) {
  is_continued_ = !history_.iteration.empty();
  if (is_continued_) earlier_s_ = history_.seconds.back();
}

RunMonitor::~RunMonitor() = default;

void RunMonitor::begin_phase(std::string_view name) {
  if (settings_.progress != nullptr)
    settings_.progress->phase(name, seconds_since(settings_.start));
}

void RunMonitor::record(std::int64_t iteration, double seconds, std::span<const Sample> samples) {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  const size_t row = history_.iteration.size();
  // What a continued run starts with is the last row of the one before.
  if (std::exchange(is_continued_, false) && history_.iteration.back() == iteration) return;
  history_.iteration.push_back(iteration);
  history_.seconds.push_back(earlier_s_ + seconds);
  for (size_t i = 0; i < samples.size(); ++i) {
    // Samples come in the same order each time, so the column is where it was.
    size_t column = i;
    if (column >= history_.names.size() || history_.names[column] != samples[i].name) {
      column = static_cast<size_t>(
          std::find(history_.names.begin(), history_.names.end(), samples[i].name) -
          history_.names.begin());
    }
    if (column == history_.names.size()) {
      history_.names.emplace_back(samples[i].name);
      history_.columns.emplace_back(row, missing);
    }
    if (history_.columns[column].size() == row)
      history_.columns[column].push_back(samples[i].value);
  }
  for (auto& column : history_.columns)
    if (column.size() == row) column.push_back(missing);
}

Verdict RunMonitor::agree(double seconds, bool& snapshot) {
  if (verdict_ != Verdict::proceed) return verdict_;
  const bool interrupted =
      settings_.stop_flag != nullptr && settings_.stop_flag->load(std::memory_order_relaxed) != 0;
  const bool late = seconds_since(settings_.start) >= settings_.time_limit_s;
  if (settings_.comm.size() == 1) {
    verdict_ = interrupted ? Verdict::interrupted : late ? Verdict::time_limit : Verdict::proceed;
    return verdict_;
  }
  // Rank 0 says how many calls make up the interval; the largest answer of all ranks holds.
  const double per_call = seconds / static_cast<double>(calls_);
  const double calls = settings_.comm.rank() == 0 && per_call > 0.0
                           ? std::clamp(std::floor(agreement_interval_s / per_call), 1.0, most_calls)
                           : 0.0;
  std::array<double, 4> said = {interrupted ? 1.0 : 0.0, late ? 1.0 : 0.0, snapshot ? 1.0 : 0.0,
                                calls};
  settings_.comm.max(said);
  verdict_ = said[0] > 0.0   ? Verdict::interrupted
             : said[1] > 0.0 ? Verdict::time_limit
                             : Verdict::proceed;
  snapshot = said[2] > 0.0;
  next_agreement_ = calls_ - 1 + std::max<std::int64_t>(static_cast<std::int64_t>(said[3]), 1);
  return verdict_;
}

Verdict RunMonitor::poll() {
  if (settings_.comm.size() > 1 && calls_++ < next_agreement_) return verdict_;
  bool snapshot = false;
  return agree(seconds_since(begin_), snapshot);
}

Verdict RunMonitor::observe(std::int64_t iteration, std::span<const Sample> samples) {
  const double seconds = seconds_since(begin_);
  record(iteration, seconds, samples);
  if (settings_.progress != nullptr)
    settings_.progress->iteration(iteration, seconds_since(settings_.start), samples);
  if (settings_.comm.size() > 1 && calls_++ < next_agreement_) return verdict_;

  bool snapshot = settings_.snapshot && seconds >= next_snapshot_s_;
  const Verdict verdict = agree(seconds, snapshot);
  if (verdict == Verdict::proceed && snapshot && settings_.snapshot) {
    const double before = seconds_since(begin_);
    settings_.snapshot();
    const double after = seconds_since(begin_);
    next_snapshot_s_ =
        after + std::max(settings_.snapshot_interval_s, (after - before) / snapshot_share);
  }
  return verdict;
}

}  // namespace libsolve
