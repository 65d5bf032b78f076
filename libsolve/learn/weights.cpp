#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/learn/weights.hpp>

namespace libsolve {

namespace {

[[noreturn]] void refuse(const Weights& weights, const std::string& field,
                         const std::string& message) {
  throw InputError(
      {.file = weights.file.empty() ? "weights" : weights.file, .line = 0, .column = 0}, field,
      message);
}

std::string shape_text(const std::vector<GlobalIndex>& shape) {
  std::vector<std::string> words;
  for (const GlobalIndex n : shape) words.push_back(std::to_string(n));
  return words.empty() ? "no extents" : join(words, " x ");
}

}  // namespace

const NamedArray& Weights::array(const std::string& name,
                                 const std::vector<GlobalIndex>& shape) const {
  const auto found = std::find_if(arrays.begin(), arrays.end(),
                                  [&](const NamedArray& a) { return a.name == name; });
  if (found == arrays.end())
    refuse(*this, "weights/" + name,
           "this array is needed and not in the file; the file belongs to another network: train "
           "again with libsolve train, or name another file");
  if (found->shape != shape)
    refuse(*this, "weights/" + name,
           "the shape is " + shape_text(found->shape) +
               ", the network that the file describes needs " + shape_text(shape) +
               "; the file is damaged: train again with libsolve train");
  if (!std::all_of(found->values.begin(), found->values.end(),
                   [](double v) { return std::isfinite(v); }))
    refuse(
        *this, "weights/" + name,
        "some entries are not finite: the training had failed; train again with another seed or a "
        "smaller learning rate");
  return *found;
}

void require_network(const Weights& weights, std::string_view network) {
  if (weights.network == network) return;
  refuse(weights, "weights.network",
         "the file holds weights of '" + weights.network + "', and '" + std::string(network) +
             "' is to read them; name a file that '" + std::string(network) + "' was trained to");
}

void require_operator(const Weights& weights, std::string_view kind, int dimension) {
  const TrainedOperator& t = weights.trained_on;
  const std::string cure = "; train weights for it: libsolve train with a case of this operator";
  if (t.dimension != dimension)
    refuse(weights, "operator.dimension",
           "trained in " + std::to_string(t.dimension) + "D (" + t.description +
               "), the operator to solve is " + std::to_string(dimension) + "D" + cure);
  if (t.kind != kind)
    refuse(weights, "operator.kind",
           "trained on '" + t.kind + "' (" + t.description + "), the operator to solve is '" +
               std::string(kind) + "'" + cure);
}

}  // namespace libsolve
