#include <libsolve/pde/evolution.hpp>

namespace libsolve {

Evolution::~Evolution() = default;

void Evolution::add_second_derivative(int, const Point&, const Vector&, const Triple&,
                                      const Triple&) {}

bool Evolution::has_step_cost(int) const {
  return true;
}

bool Evolution::has_quadratic_costs() const {
  return false;
}

std::shared_ptr<const InnerProduct> Evolution::parameter_inner_product() const {
  return nullptr;
}

std::shared_ptr<const InnerProduct> Evolution::state_inner_product() const {
  return nullptr;
}

std::vector<int> Evolution::shown_steps() const {
  return {num_steps()};
}

std::vector<Field> Evolution::fields(const std::vector<Vector>&, const std::vector<Vector>&,
                                     const Vector&) const {
  return {};
}

std::vector<Field> Evolution::data_fields() const {
  return {};
}

std::vector<Measure> Evolution::work_counts() const {
  return {};
}

std::string Evolution::fault() const {
  return {};
}

}  // namespace libsolve
