#include "svm_source.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

namespace bilevel_sources {

namespace {

template <class O>
void describe_all(Fields<O>& f) {
  f.add("file", &O::file, "samples in LIBSVM's text format with two different labels")
      .file()
      .required();
  f.add("training", &O::training, Range::closed(2, 10000000),
        "samples of the lower level, a random part of the file");
  f.add("validation", &O::validation, Range::closed(1, 10000000),
        "samples of the upper level's loss; the rest is for tests");
  f.add("flipped", &O::flipped, Range::closed(0.0, 0.5),
        "part of the training samples whose labels are turned");
  f.add("slack", &O::slack,
        "with the slacks and their constraints, as published; false: without them, by the squared "
        "hinge loss, which is the same lower level in fewer variables");
  f.add("leak", &O::leak, Range::closed(0.0, 1.0),
        "factor of the loss on the right side of the plane");
  f.add("lowest_penalty", &O::lowest_penalty, Range::closed(-30.0, 30.0),
        "lower bound of the penalties' logarithms");
  f.add("highest_penalty", &O::highest_penalty, Range::closed(-30.0, 30.0), "upper bound");
}

double accuracy(const SvmSamples& samples, std::span<const double> u) {
  std::vector<double> margins(samples.labels().size());
  if (margins.empty()) return 0.0;
  samples.multiply(u, margins);
  const auto right = std::count_if(margins.begin(), margins.end(), [](double m) { return m > 0; });
  return static_cast<double>(right) / static_cast<double>(margins.size());
}

/// e^c of the turned samples over that of the others, geometric means: below 1, they are
/// mistrusted.
double flipped_weight(const std::vector<bool>& is_flipped, std::span<const double> c) {
  double sums[2] = {0.0, 0.0}, counts[2] = {0.0, 0.0};
  for (std::size_t i = 0; i < is_flipped.size(); ++i) {
    sums[is_flipped[i]] += c[i];
    counts[is_flipped[i]] += 1.0;
  }
  return std::exp(sums[1] / counts[1] - sums[0] / counts[0]);
}

/// The lower level at one c after the other, by HingeNewton in (w, b), from the last solution.
class LowerSolver {
 public:
  LowerSolver(SvmLayout layout, std::shared_ptr<const SvmSamples> samples)
      : layout_(layout),
        samples_(std::move(samples)),
        newton_(*samples_, curvatures(layout.q)),
        u_(layout.q, 0.0),
        zero_(layout.q, 0.0),
        one_(layout.n, 1.0),
        weights_(layout.n) {}

  /// s_i = max(0, 1 - a_i . (w, b)) with the multipliers e^{c_i} s_i. Not a solution where Newton's
  /// method does not settle.
  LowerSolution solve(std::span<const double> c) {
    for (std::size_t i = 0; i < layout_.n; ++i) weights_[i] = std::exp(c[i]);
    if (newton_.solve(zero_, weights_, one_, u_) < 0) {
      u_ = zero_;
      newton_.solve(zero_, weights_, one_, u_);
    }
    LowerSolution found;
    found.y = u_;
    if (layout_.has_slack) {
      std::vector<double> margins(layout_.n);
      samples_->multiply(u_, margins);
      for (std::size_t i = 0; i < layout_.n; ++i) {
        found.y.push_back(std::max(0.0, 1.0 - margins[i]));
        found.lambda.push_back(weights_[i] * found.y.back());
      }
    }
    found.z.assign(found.y.size(), 0.0);
    return found;
  }

 private:
  static std::vector<double> curvatures(std::size_t q) {  // b costs nothing
    std::vector<double> d(q, 1.0);
    d.back() = 0.0;
    return d;
  }
  SvmLayout layout_;
  std::shared_ptr<const SvmSamples> samples_;
  HingeNewton newton_;
  std::vector<double> u_, zero_, one_, weights_;
};

}  // namespace

void SvmOptions::describe(Fields<SvmOptions>& f) {
  describe_all(f);
}
void CleaningOptions::describe(Fields<CleaningOptions>& f) {
  describe_all(f);
}

void SvmOptions::check(const SvmOptions& o, const std::string& prefix, const SourceLocation& where,
                       Diagnostics& problems) {
  if (o.lowest_penalty > o.highest_penalty)
    problems.add(where, prefix + "highest_penalty", "is below lowest_penalty");
}
void CleaningOptions::check(const CleaningOptions& o, const std::string& prefix,
                            const SourceLocation& where, Diagnostics& problems) {
  SvmOptions::check(o, prefix, where, problems);
}

std::unique_ptr<BilevelProgram> make_svm_program(SvmSplit split, const SvmOptions& o,
                                                 std::uint64_t seed, const std::string& text) {
  const auto training = std::make_shared<const SvmSamples>(std::move(split.training));
  const auto validation = std::make_shared<const SvmSamples>(std::move(split.validation));
  const auto test = std::make_shared<const SvmSamples>(std::move(split.test));
  const SvmLayout layout{static_cast<std::size_t>(training->num_rows()),
                         static_cast<std::size_t>(training->num_columns()), o.slack};
  const std::size_t ny = layout.num_variables() - layout.n;
  BilevelParts p;
  p.num_upper = static_cast<Index>(layout.n);
  p.num_lower = static_cast<Index>(ny);
  p.upper = std::make_shared<SvmUpper>(layout, validation, o.leak);
  p.upper_variables = {std::vector<double>(layout.n, o.lowest_penalty),
                       std::vector<double>(layout.n, o.highest_penalty)};
  p.lower_variables = {std::vector<double>(ny, -INFINITY), std::vector<double>(ny, INFINITY)};
  p.lower_is_convex = true;
  const RandomStream stream(seed, "svm::start");
  for (std::size_t i = 0; i < layout.n; ++i)
    p.start.push_back(
        std::clamp(stream.uniform(i, -6.0, -5.0), o.lowest_penalty, o.highest_penalty));
  const auto solver = std::make_shared<LowerSolver>(layout, training);
  p.lower_solution = [solver](std::span<const double> c) { return solver->solve(c); };
  const LowerSolution at_start = p.lower_solution(p.start);
  p.start.insert(p.start.end(), at_start.y.begin(), at_start.y.end());
  if (o.slack) {
    p.lower = std::make_shared<SvmLower>(layout, training);
    p.lower_constraints = {std::vector<double>(layout.n, -INFINITY),
                           std::vector<double>(layout.n, 0.0)};
    p.coupled_set =
        std::make_shared<SvmProjection>(layout, training, o.lowest_penalty, o.highest_penalty);
  } else {
    p.lower = std::make_shared<SvmReducedLower>(layout, training);
  }
  const auto test_loss = std::make_shared<SvmUpper>(layout, test, o.leak);
  p.scores = [=, is_flipped = std::move(split.is_flipped)](std::span<const double> v) {
    const auto plane = v.subspan(layout.w(), layout.q);
    std::vector<Measure> scores = {{"validation_accuracy", accuracy(*validation, plane)},
                                   {"test_accuracy", accuracy(*test, plane)},
                                   {"training_accuracy", accuracy(*training, plane)},
                                   {"test_loss", test_loss->loss(plane)}};
    if (std::count(is_flipped.begin(), is_flipped.end(), true) > 0)
      scores.push_back({"flipped_weight", flipped_weight(is_flipped, v.first(layout.n))});
    return scores;
  };
  p.text = text + ": " + std::to_string(layout.n) + " training, " +
           std::to_string(validation->num_rows()) + " validation and " +
           std::to_string(test->num_rows()) + " test samples, " + std::to_string(layout.q - 1) +
           " features" + (o.slack ? "" : ", slacks eliminated");
  return std::make_unique<BilevelProgram>(std::move(p));
}

template <class O>
std::unique_ptr<Problem> SvmSource<O>::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("support vector machines as bilevel programs work on one rank, there are " +
                      std::to_string(context_.communicator.size()) + "; run it without mpirun");
  const std::string path = context_.resolve_file(options_.file);
  const LabelledSamples samples = read_libsvm(path);
  std::string text = std::filesystem::path(path).filename().string();
  if (options_.flipped > 0.0)
    text += " with " + std::to_string(std::lround(100.0 * options_.flipped)) +
            " % of the labels turned";
  return make_svm_program(split_samples(samples, "'" + path + "'", options_.training,
                                        options_.validation, options_.flipped, context_.seed),
                          options_, context_.seed, text);
}

template class SvmSource<SvmOptions>;
template class SvmSource<CleaningOptions>;

}  // namespace bilevel_sources
