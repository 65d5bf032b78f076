#pragma once

#include <libsolve/core/export.hpp>
#include <string_view>

namespace libsolve {

/// A component some of whose options can be changed between solves without making a new one. Others
/// find it by dynamic_cast and, where it is absent or says no, build the component again.
class LIBSOLVE_EXPORT Tunable {
 public:
  virtual ~Tunable();
  /// Sets the number option `name` ("omega", or "preconditioner.omega" for an inner component) for
  /// the solves to come, as if the component had been made with it and set up. False, and nothing
  /// changed, where it has no such option or would have to be set up again. `value` is within the
  /// option's range; the caller has checked that.
  virtual bool set_parameter(std::string_view name, double value) = 0;
};

/// A method that learns from one solve for the next, and is told how the next one differs.
class LIBSOLVE_EXPORT TakesContext {
 public:
  virtual ~TakesContext();
  /// A number for the solves to come: a shift, a time step, gamma of I - gamma J.
  virtual void set_context(double context) = 0;
};

}  // namespace libsolve
