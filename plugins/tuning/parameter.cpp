#include "parameter.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/tunable.hpp>

namespace tuning {

void set_option(ComponentSpec& spec, const std::string& path, const Value& value) {
  Value* table = &spec.options;
  size_t begin = 0;
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', begin)) {
    const std::string key = path.substr(begin, dot - begin);
    Value* inner = table->find(key);
    if (inner == nullptr) {
      table = &table->set(key, Value());
    } else if (inner->is_string()) {
      Value named;
      named.set("name", inner->as_string());
      table = &table->set(key, named);
    } else {
      table = inner;
    }
    begin = dot + 1;
  }
  table->set(path.substr(begin), value);
}

ParameterisedSolver::ParameterisedSolver(ComponentSpec spec, std::string parameter,
                                         std::vector<std::string> words, const Context& context)
    : spec_(std::move(spec)),
      parameter_(std::move(parameter)),
      words_(std::move(words)),
      context_(context) {}

std::string ParameterisedSolver::text(double value) const {
  if (words_.empty()) return format_number(value);
  const auto k = static_cast<size_t>(value);
  if (static_cast<double>(k) != value || k >= words_.size())
    throw DataError("there is no word number " + format_number(value) + " among " + join(words_));
  return words_[k];
}

ComponentSpec ParameterisedSolver::spec_with(double value) const {
  ComponentSpec spec = spec_;
  if (parameter_.empty()) return spec;
  const bool is_whole = value == std::floor(value) && std::abs(value) < 1e15;
  set_option(spec, parameter_,
             !words_.empty() ? Value(text(value))
             : is_whole      ? Value(static_cast<std::int64_t>(value))
                             : Value(value));
  return spec;
}

void ParameterisedSolver::check(const std::vector<double>& values) const {
  if (context_.registry == nullptr) return;  // make() will say so
  for (const double value : values) {
    Diagnostics problems;
    context_.registry->resolve(LinearSolver::kind, spec_with(value), "", problems);
    problems.throw_if_any();
  }
}

LinearSolver& ParameterisedSolver::with(double value, double absolute_tolerance) {
  auto* tunable = dynamic_cast<Tunable*>(last_);
  if (last_ == nullptr) {
    last_ = (made_[value] = context_.make<LinearSolver>(spec_with(value))).get();
    ++num_made_;
    tunable = dynamic_cast<Tunable*>(last_);
    is_in_place_ = !parameter_.empty() && words_.empty() && tunable != nullptr &&
                   tunable->set_parameter(parameter_, value);
  } else if (is_in_place_) {
    tunable->set_parameter(parameter_, value);
  } else if (!parameter_.empty()) {
    std::unique_ptr<LinearSolver>& solver = made_[value];
    if (solver == nullptr) {
      solver = context_.make<LinearSolver>(spec_with(value));
      ++num_made_;
    }
    last_ = solver.get();
    tunable = dynamic_cast<Tunable*>(last_);
  }
  if (absolute_tolerance >= 0.0 &&
      (tunable == nullptr || !tunable->set_parameter("relative_tolerance", 0.0) ||
       !tunable->set_parameter("absolute_tolerance", absolute_tolerance)))
    throw Unsupported("the solver '" + spec_.name +
                      "' cannot change its tolerance between solves; set stop_by = "
                      "\"solver\"");
  return *last_;
}

}  // namespace tuning
