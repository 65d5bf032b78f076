#include <algorithm>
#include <cmath>

#include "elimination_tree.hpp"
#include "symmetric_factors.hpp"

namespace sketch_newton {

namespace {

/// Threshold of pivots (Duff and Reid 1983): growth of entries by at most 1 + 1/u a step.
constexpr double u = 1e-4;
constexpr double alpha = 0.6403882032022076;  // Bunch and Kaufman's, in roots
constexpr double zero_pivot = 1e-14;
constexpr double flops_between_questions = 1e8;
/// Columns without a pivot that may wait at one node: with more, the matrix is as good as singular,
/// and a dense block of them would not fit into memory. The caller shifts the diagonal.
constexpr std::size_t most_waiting = 3000;

using Size = std::size_t;

/// What a node leaves: its part of L and D.
struct Factor {
  std::vector<int> rows;  ///< columns in the order of elimination: the eliminated, then the others
  Size eliminated = 0;
  std::vector<double> L;     ///< rows.size() x eliminated, by columns, unit lower triangle
  std::vector<double> d, e;  ///< D: diagonal, and what couples k and k + 1
};

/// What a node passes to its parent: the first `delayed` rows could not be eliminated.
struct Contribution {
  std::vector<int> rows;
  Size delayed = 0;
  std::vector<double> values;  ///< lower triangle by columns, rows.size() squared
};

/// Duff and Reid, The multifrontal solution of indefinite sparse symmetric linear equations, ACM
/// TOMS 1983: dense partial factorisations along the elimination tree; columns without a stable
/// pivot go up to the parent.
class SparseFactors final : public SymmetricFactors {
 public:
  bool factor(const SymmetricEntries& A) override {
    for (const double v : A.values)
      if (!std::isfinite(v)) return false;
    if (tree_.order.size() != A.size()) {
      tree_ = elimination_tree(A);
      place_.assign(A.size(), 0);
      factors_.resize(tree_.nodes.size());
      contributions_.resize(tree_.nodes.size());
      permute(A);
    }
    norm_.assign(A.size(), 0.0);
    for (Size j = 0; j < A.size(); ++j)
      for (int p = A.first[j]; p < A.first[j + 1]; ++p) {
        const auto i = static_cast<Size>(A.rows[static_cast<Size>(p)]);
        const double v = std::abs(A.values[static_cast<Size>(p)]);
        double& a = norm_[static_cast<Size>(tree_.position[i])];
        double& b = norm_[static_cast<Size>(tree_.position[j])];
        a = std::max(a, v);
        b = std::max(b, v);
      }
    inertia_ = {};
    flops_ = 0.0;
    double asked = 0.0;
    for (Size s = 0; s < tree_.nodes.size(); ++s) {
      if (waiting_at(s) > most_waiting) return false;
      eliminate(s, A);
      if (stop && flops_ - asked > flops_between_questions) {
        asked = flops_;
        if (stop()) return false;
      }
    }
    return true;
  }

  Inertia inertia() const override { return inertia_; }
  double flops() const override { return flops_; }

  void solve(std::span<double> x) const override {
    std::vector<double> y(x.size()), z;
    for (Size k = 0; k < x.size(); ++k) y[k] = x[static_cast<Size>(tree_.order[k])];
    for (const Factor& f : factors_) {
      const Size size = f.rows.size();
      for (Size k = 0; k < f.eliminated; ++k) {
        const double v = y[static_cast<Size>(f.rows[k])];
        const double* L = &f.L[k * size];
        if (v != 0.0)
          for (Size i = k + 1; i < size; ++i) y[static_cast<Size>(f.rows[i])] -= L[i] * v;
      }
      for (Size k = 0; k < f.eliminated; ++k) {
        double& a = y[static_cast<Size>(f.rows[k])];
        if (f.e[k] == 0.0) {
          a = f.d[k] == 0.0 ? 0.0 : a / f.d[k];
          continue;
        }
        double& b = y[static_cast<Size>(f.rows[k + 1])];
        const double d0 = f.d[k] / f.e[k], d1 = f.d[k + 1] / f.e[k];
        const double r0 = a / f.e[k], r1 = b / f.e[k], det = d0 * d1 - 1.0;
        a = (d1 * r0 - r1) / det;
        b = (d0 * r1 - r0) / det;
        ++k;
      }
    }
    for (Size s = factors_.size(); s-- > 0;) {
      const Factor& f = factors_[s];
      const Size size = f.rows.size();
      for (Size k = f.eliminated; k-- > 0;) {
        const double* L = &f.L[k * size];
        double sum = 0.0;
        for (Size i = k + 1; i < size; ++i) sum += L[i] * y[static_cast<Size>(f.rows[i])];
        y[static_cast<Size>(f.rows[k])] -= sum;
      }
    }
    for (Size k = 0; k < x.size(); ++k) x[static_cast<Size>(tree_.order[k])] = y[k];
  }

 private:
  /// The entries of A by the column that is eliminated first.
  void permute(const SymmetricEntries& A) {
    entries_.assign(A.size(), {});
    for (Size j = 0; j < A.size(); ++j)
      for (int p = A.first[j]; p < A.first[j + 1]; ++p) {
        const int a = tree_.position[static_cast<Size>(A.rows[static_cast<Size>(p)])];
        const int b = tree_.position[j];
        entries_[static_cast<Size>(std::min(a, b))].push_back({std::max(a, b), p});
      }
  }

  Size waiting_at(Size s) const {
    Size count = 0;
    for (const int c : tree_.nodes[s].children)
      count += contributions_[static_cast<Size>(c)].delayed;
    return count;
  }

  double& panel(Size i, Size j) { return panel_[j * size_ + i]; }
  double& rest(Size i, Size j) { return rest_[(j - summed_) * (size_ - summed_) + (i - summed_)]; }

  void assemble(Size s, const SymmetricEntries& A) {
    const EliminationTree::Node& node = tree_.nodes[s];
    rows_.clear();
    for (int k = node.first; k < node.end; ++k) rows_.push_back(k);
    for (const int c : node.children) {
      const Contribution& part = contributions_[static_cast<Size>(c)];
      rows_.insert(rows_.end(), part.rows.begin(),
                   part.rows.begin() + static_cast<std::ptrdiff_t>(part.delayed));
    }
    summed_ = rows_.size();
    rows_.insert(rows_.end(), node.rows.begin(), node.rows.end());
    size_ = rows_.size();
    for (Size i = 0; i < size_; ++i) place_[static_cast<Size>(rows_[i])] = i;
    panel_.assign(size_ * summed_, 0.0);
    rest_.assign((size_ - summed_) * (size_ - summed_), 0.0);
    for (int k = node.first; k < node.end; ++k)
      for (const auto& [row, p] : entries_[static_cast<Size>(k)])
        panel(place_[static_cast<Size>(row)], static_cast<Size>(k - node.first)) +=
            A.values[static_cast<Size>(p)];
    // An entry between two columns of the node lies below the diagonal, as rows ascend.
    for (const int c : node.children) {
      Contribution& part = contributions_[static_cast<Size>(c)];
      const Size n = part.rows.size();
      for (Size j = 0; j < n; ++j) {
        const Size pj = place_[static_cast<Size>(part.rows[j])];
        const double* column = &part.values[j * n];
        for (Size i = j; i < n; ++i) {
          const Size pi = place_[static_cast<Size>(part.rows[i])];
          const Size low = std::max(pi, pj), high = std::min(pi, pj);
          if (high < summed_)
            panel(low, high) += column[i];
          else
            rest(low, high) += column[i];
        }
      }
      part = {};
    }
  }

  /// Largest entry of column c of what is left from k on, but for those of c and `other`.
  double largest_beside(Size k, Size c, Size other, Size* where = nullptr) {
    double largest = 0.0;
    for (Size j = k; j < c; ++j)
      if (j != other && std::abs(panel(c, j)) > largest) {
        largest = std::abs(panel(c, j));
        if (where != nullptr) *where = j;
      }
    for (Size i = c + 1; i < size_; ++i)
      if (i != other && std::abs(panel(i, c)) > largest) {
        largest = std::abs(panel(i, c));
        if (where != nullptr && i < summed_) *where = i;
      }
    return largest;
  }

  /// Largest entry of column c beside the diagonal in the summed rows.
  Size partner_of(Size k, Size c) {
    Size best = c;
    double largest = 0.0;
    for (Size j = k; j < c; ++j)
      if (std::abs(panel(c, j)) > largest) largest = std::abs(panel(c, best = j));
    for (Size i = c + 1; i < summed_; ++i)
      if (std::abs(panel(i, c)) > largest) largest = std::abs(panel(best = i, c));
    return best;
  }

  double coupling(Size a, Size b) { return panel(std::max(a, b), std::min(a, b)); }

  /// A pivot (c, c) or (c, d), d != c, that the threshold allows.
  bool find_pivot(Size k, Size& c, Size& d) {
    for (c = k; c < summed_; ++c) {
      const double beside = largest_beside(k, c, c);
      const double diagonal = std::abs(panel(c, c));
      d = c;
      if (diagonal > zero_pivot * norm_[static_cast<Size>(rows_[c])] && diagonal >= u * beside)
        return true;
      if (beside <= zero_pivot * norm_[static_cast<Size>(rows_[c])]) continue;
      d = partner_of(k, c);
      if (d == c) continue;
      const double cd = coupling(c, d), det = panel(c, c) * panel(d, d) - cd * cd;
      const double of_c = largest_beside(k, c, d), of_d = largest_beside(k, d, c);
      const double bound = std::abs(det) / u;
      if (std::abs(det) > 1e-14 * cd * cd &&
          std::abs(panel(d, d)) * of_c + std::abs(cd) * of_d <= bound &&
          std::abs(cd) * of_c + diagonal * of_d <= bound)
        return true;
    }
    return false;
  }

  /// Where all rows are summed there is always one, by Bunch and Kaufman; false: nothing but zeros.
  bool find_pivot_in_root(Size k, Size& c, Size& d) {
    if (find_pivot(k, c, d)) return true;
    c = d = k;
    const double beside = largest_beside(k, k, k), diagonal = std::abs(panel(k, k));
    if (std::max(beside, diagonal) <= zero_pivot * norm_[static_cast<Size>(rows_[k])]) return false;
    if (diagonal >= alpha * beside) return true;
    const Size r = partner_of(k, k);
    const double of_r = largest_beside(k, r, r);
    if (diagonal * of_r >= alpha * beside * beside) return true;
    if (std::abs(panel(r, r)) >= alpha * of_r) {
      c = d = r;
      return true;
    }
    d = r;
    return true;
  }

  void exchange(Size a, Size b) {
    if (a == b) return;
    if (a > b) std::swap(a, b);
    std::swap(rows_[a], rows_[b]);
    for (Size j = 0; j < a; ++j) std::swap(panel(a, j), panel(b, j));
    for (Size i = a + 1; i < b; ++i) std::swap(panel(i, a), panel(b, i));
    for (Size i = b + 1; i < size_; ++i) std::swap(panel(i, a), panel(i, b));
    std::swap(panel(a, a), panel(b, b));
  }

  void eliminate_one(Size k, Factor& f) {
    const double d = panel(k, k);
    f.d.push_back(d);
    f.e.push_back(0.0);
    ++(d > 0.0 ? inertia_.positive : inertia_.negative);
    const double* from = &panel(0, k);
    for (Size j = k + 1; j < summed_; ++j) {
      const double l = from[j] / d;
      if (l == 0.0) continue;
      double* to = &panel(0, j);
      for (Size i = j; i < size_; ++i) to[i] -= from[i] * l;
    }
    double* own = &panel(0, k);
    for (Size i = k + 1; i < size_; ++i) own[i] /= d;
    own[k] = 1.0;
  }

  void eliminate_two(Size k, Factor& f) {
    const double a = panel(k, k), b = panel(k + 1, k), c = panel(k + 1, k + 1);
    f.d.insert(f.d.end(), {a, c});
    f.e.insert(f.e.end(), {b, 0.0});
    const double det = (a / b) * (c / b) - 1.0;
    if (det < 0.0) {
      ++inertia_.positive;
      ++inertia_.negative;
    } else {
      (a > 0.0 ? inertia_.positive : inertia_.negative) += 2;
    }
    double* x = &panel(0, k);
    double* y = &panel(0, k + 1);
    work_.resize(2 * size_);
    for (Size i = k + 2; i < size_; ++i) {
      work_[i] = ((c / b) * x[i] - y[i]) / (det * b);
      work_[size_ + i] = ((a / b) * y[i] - x[i]) / (det * b);
    }
    for (Size j = k + 2; j < summed_; ++j) {
      const double l0 = work_[j], l1 = work_[size_ + j];
      if (l0 == 0.0 && l1 == 0.0) continue;
      double* to = &panel(0, j);
      for (Size i = j; i < size_; ++i) to[i] -= x[i] * l0 + y[i] * l1;
    }
    for (Size i = k + 2; i < size_; ++i) {
      x[i] = work_[i];
      y[i] = work_[size_ + i];
    }
    x[k] = 1.0;
    x[k + 1] = 0.0;
    y[k + 1] = 1.0;
  }

  void eliminate(Size s, const SymmetricEntries& A) {
    assemble(s, A);
    Factor& f = factors_[s];
    f = {};
    Size k = 0;
    while (k < summed_) {
      Size c = k, d = k;
      if (size_ > summed_ || !tree_.nodes[s].is_root) {
        if (!find_pivot(k, c, d)) break;
      } else if (!find_pivot_in_root(k, c, d)) {
        f.d.push_back(0.0);
        f.e.push_back(0.0);
        ++inertia_.zero;
        for (Size i = k + 1; i < size_; ++i) panel(i, k) = 0.0;
        panel(k, k) = 1.0;
        ++k;
        continue;
      }
      if (c == d) {
        exchange(k, c);
        eliminate_one(k, f);
        k += 1;
      } else {
        exchange(k, std::min(c, d));
        exchange(k + 1, std::max(c, d));
        eliminate_two(k, f);
        k += 2;
      }
    }
    f.eliminated = k;
    f.rows = rows_;
    f.L.assign(panel_.begin(), panel_.begin() + static_cast<std::ptrdiff_t>(k * size_));
    const double p = static_cast<double>(k), r = static_cast<double>(size_);
    flops_ += p * r * r - p * p * r + p * p * p / 3.0;
    if (!tree_.nodes[s].is_root) contribute(s, f);
  }

  /// rest -= L D L^T, and the delayed columns, for the parent.
  void contribute(Size s, const Factor& f) {
    const Size k = f.eliminated, below = size_ - summed_;
    work_.resize(size_ * std::max<Size>(k, 1));
    for (Size q = 0; q < k; ++q) {
      double* y = &work_[q * size_];
      const double* l = &f.L[q * size_];
      if (f.e[q] == 0.0) {
        for (Size i = summed_; i < size_; ++i) y[i] = f.d[q] * l[i];
        continue;
      }
      double* z = y + size_;
      const double* m = l + size_;
      for (Size i = summed_; i < size_; ++i) {
        y[i] = f.d[q] * l[i] + f.e[q] * m[i];
        z[i] = f.e[q] * l[i] + f.d[q + 1] * m[i];
      }
      ++q;
    }
    // Four columns of L at a time, so that entries of the rest are read and written a quarter as
    // often.
    for (Size q = 0; q < k; q += 4) {
      const Size many = std::min<Size>(4, k - q);
      for (Size j = summed_; j < size_; ++j) {
        double y[4] = {0.0, 0.0, 0.0, 0.0};
        for (Size t = 0; t < many; ++t) y[t] = work_[(q + t) * size_ + j];
        const double* l0 = &f.L[q * size_];
        const double* l1 = many > 1 ? l0 + size_ : l0;
        const double* l2 = many > 2 ? l0 + 2 * size_ : l0;
        const double* l3 = many > 3 ? l0 + 3 * size_ : l0;
        double* to = rest_.data() + (j - summed_) * below - summed_;
        for (Size i = j; i < size_; ++i)
          to[i] -= y[0] * l0[i] + y[1] * l1[i] + y[2] * l2[i] + y[3] * l3[i];
      }
    }
    Contribution& out = contributions_[s];
    out.delayed = summed_ - k;
    out.rows.assign(rows_.begin() + static_cast<std::ptrdiff_t>(k), rows_.end());
    const Size n = out.rows.size();
    out.values.assign(n * n, 0.0);
    for (Size j = k; j < summed_; ++j)
      for (Size i = j; i < size_; ++i) out.values[(j - k) * n + (i - k)] = panel(i, j);
    for (Size j = summed_; j < size_; ++j)
      for (Size i = j; i < size_; ++i) out.values[(j - k) * n + (i - k)] = rest(i, j);
  }

  EliminationTree tree_;
  struct Entry {
    int row, from;
  };
  std::vector<std::vector<Entry>> entries_;
  std::vector<Factor> factors_;
  std::vector<Contribution> contributions_;
  std::vector<Size> place_;
  std::vector<double> norm_;
  // The front that is worked on: `size_` rows, the first `summed_` of them complete.
  std::vector<int> rows_;
  Size size_ = 0, summed_ = 0;
  std::vector<double> panel_, rest_, work_;
  Inertia inertia_;
  double flops_ = 0.0;
};

}  // namespace

std::unique_ptr<SymmetricFactors> sparse_factors() {
  return std::make_unique<SparseFactors>();
}

}  // namespace sketch_newton
