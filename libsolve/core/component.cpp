#include <libsolve/core/component.hpp>

namespace libsolve {

Component::~Component() = default;
Problem::~Problem() = default;
std::vector<Field> Problem::data() const { return {}; }
Method::~Method() = default;
ProblemSource::~ProblemSource() = default;

}  // namespace libsolve
