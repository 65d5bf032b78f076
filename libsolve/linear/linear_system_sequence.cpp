#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_system_sequence.hpp>

namespace libsolve {

LinearSystemSequence::LinearSystemSequence(std::int64_t size) : size_(size) {
  if (size < 1) throw DataError("a sequence of linear systems needs at least one system");
}

LinearSystemSequence::~LinearSystemSequence() = default;

void LinearSystemSequence::take(System made) {
  current_ = std::move(made.system);
  context_ = made.context;
}

void LinearSystemSequence::advance() {
  const std::vector<Measure> measures = current_->verify();
  const auto relative = std::find_if(measures.begin(), measures.end(), [](const Measure& m) {
    return m.name == "relative_residual";
  });
  // NaN stays: max() would forget it.
  if (!(relative->value <= worst_relative_residual_)) worst_relative_residual_ = relative->value;
  ++position_;
  if (position_ == size_) return;
  last_ = current_->x();
  take(make(position_, &last_));
}

std::vector<Field> LinearSystemSequence::solution() const {
  std::vector<Field> fields = current_->solution();
  if (position_ < size_ && last_.data() != nullptr)
    for (Field& field : fields) field.values = last_;
  return fields;
}

std::vector<Measure> LinearSystemSequence::verify() const {
  return {{"relative_residual", worst_relative_residual_, ""},
          {"systems", static_cast<double>(position_), ""}};
}

std::vector<Field> LinearSystemSequence::state() const {
  std::vector<Field> fields = {
      numbers_field("position", {static_cast<double>(position_), worst_relative_residual_},
                    "systems solved, largest relative residual")};
  if (position_ == size_ || last_.data() != nullptr) {
    Field field = solution().front();
    field.name = "last_solution";
    field.description = "solution of the last system solved";
    fields.push_back(std::move(field));
  }
  return fields;
}

void LinearSystemSequence::restore(const StateSource& state, const Problem&) {
  const std::vector<double> position = state.numbers("position");
  if (position.size() != 2 || !(position[0] >= 0.0) || position[0] > static_cast<double>(size_))
    throw DataError("the stored run stopped at system " +
                    (position.empty() ? std::string("?") : std::to_string(static_cast<std::int64_t>(position[0]))) +
                    ", this sequence has " + std::to_string(size_) + " systems");
  position_ = static_cast<std::int64_t>(position[0]);
  worst_relative_residual_ = position[1];
  if (position_ == 0) return;
  Field field = current_->solution().front();
  field.values = current_->x().like("linear_system_sequence::last");
  state.read("last_solution", field);
  last_ = field.values;
  const std::int64_t shown = std::min(position_, size_ - 1);
  take(make(shown, &last_));
  if (position_ == size_) copy(last_, current_->x());
}

}  // namespace libsolve
