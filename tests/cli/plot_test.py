"""Which fields `libsolve plot` draws where there is no room for all. Titles need matplotlib."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../apps/libsolve"))
import libsolve_plot_fields as plot_fields  # noqa: E402


class PlotFields(unittest.TestCase):
    TIMES = [f"{what}_{n}" for what in ("adjoint", "control", "state", "target") for n in (16, 24, 32, 8)]

    def test_every_quantity_comes_before_a_second_member_of_one(self):
        for room in (4, 7, 8, 11):
            drawn, left_out = plot_fields.chosen(self.TIMES, room)
            times = [8] if room < 8 else [8, 16]
            self.assertEqual(drawn, [f"{what}_{n}" for what in ("state", "control", "adjoint", "target") for n in times])
            self.assertEqual(sorted(drawn + left_out), sorted(self.TIMES))
        self.assertEqual(plot_fields.chosen(self.TIMES, 16)[1], [])

    def test_unknowns_come_before_adjoints_and_data(self):
        names = ["adjoint_final", "density_final", "density_halfway", "velocity_x", "velocity_y"]
        size = lambda name: 2 if name.startswith("velocity") else 1
        self.assertEqual(plot_fields.chosen(names, 7, size),
                         (["density_final", "density_halfway", "velocity_x", "velocity_y", "adjoint_final"], []))
        self.assertEqual(plot_fields.chosen(names, 6, size),
                         (["density_final", "velocity_x", "adjoint_final"], ["density_halfway", "velocity_y"]))
        self.assertEqual(plot_fields.chosen(["data", "final", "rhs", "true_initial"], 8)[0],
                         ["final", "true_initial", "rhs", "data"])
        self.assertEqual(plot_fields.chosen(["c", "a", "b"], 2), (["a", "b"], ["c"]))
        self.assertEqual(plot_fields.chosen([], 2), ([], []))

    def test_planes_share_rows(self):
        self.assertEqual(plot_fields.rows_of(["a", "VX", "b", "c", "VY"], str.islower),
                         [["a", "b"], ["VX"], ["c"], ["VY"]])

    def test_long_titles_are_whole(self):
        try:
            import libsolve_plot
        except SystemExit:
            self.skipTest("h5py or matplotlib is not installed")
        figure = libsolve_plot.plt.figure(figsize=(10, 5))
        for words in ("short", "words " * 50):
            drawn = libsolve_plot.draw_title(figure, 0.9, words)
            self.assertEqual(drawn.get_text(), words)
            self.assertLessEqual(drawn.get_window_extent().x1, figure.bbox.width)
        self.assertLess(drawn.get_fontsize(), 13)


if __name__ == "__main__":
    unittest.main()
