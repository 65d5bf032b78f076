#include <fmt/format.h>

#include <cstdio>
#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/core/errors.hpp>

#include "bench.hpp"

namespace bench {

namespace {

constexpr double bar = 1.5;  ///< times the floor

IterationRow measure(const Settings& settings, const libsolve::Registry& registry, int n) {
  libsolve::Context context;
  context.registry = &registry;
  libsolve::ComponentSpec spec("lvhba-synthetic");
  spec.options.set("problem", libsolve::Value("bilinear"));
  spec.options.set("size", libsolve::Value(n));
  const auto made = context.make<libsolve::ProblemSource>(spec)->create();
  const auto& problem = dynamic_cast<const libsolve::BilevelProgram&>(*made);
  libsolve::LvHbaIteration& iteration = *problem.parts().iteration;
  iteration.start(problem.v().view());
  const double bytes = iteration.bytes_per_iteration();
  // A triad over as many bytes as the state, so that both live in the same cache.
  const libsolve::Triad triad(static_cast<Index>(bytes / 2.0 / 24.0));
  libsolve::LvHbaSettings s{.alpha = 0.2, .beta = 0.3, .eta = 0.2, .gamma1 = 2.0, .gamma2 = 2.0};
  s.row_length = 1.0;
  const std::int64_t count = std::max(20, 20'000'000 / n);
  (void)iteration.run(s, 0, count);
  IterationRow row{.n = n, .seconds = 1e300, .floor = 1e300, .bar = bar};
  for (int k = 0; k < 3 * settings.repeat; ++k) {
    const double start = now(settings.clock);
    (void)iteration.run(s, 0, count);
    row.seconds = std::min(row.seconds, (now(settings.clock) - start) / static_cast<double>(count));
    row.floor =
        std::min(row.floor, bytes / 8.0 * triad.seconds_per_double(200'000'000 / n / 10 + 5));
  }
  fmt::print("{:>9} {:>12.3f} {:>12.3f} {:>9.2f} {:>7.2f} {}\n", n, 1e6 * row.seconds,
             1e6 * row.floor, row.seconds / row.floor, bar, row.passed() ? "pass" : "FAIL");
  std::fflush(stdout);
  return row;
}

}  // namespace

std::vector<IterationRow> run_bilevel(const Settings& settings,
                                      const libsolve::Registry& registry) {
  fmt::print(
      "LV-HBA on problem B, one iteration; floor: 80 n bytes at the speed of a triad over as "
      "much memory\n{:>9} {:>12} {:>12} {:>9} {:>7}\n",
      "n", "us", "floor, us", "times", "bar");
  std::vector<IterationRow> rows;
  for (const int n : {1000, 10000, 100000, 1000000}) rows.push_back(measure(settings, registry, n));
  return rows;
}

nlohmann::json to_json(const IterationRow& row) {
  return {{"n", row.n}, {"seconds", row.seconds}, {"floor", row.floor}, {"bar", row.bar}};
}

}  // namespace bench
