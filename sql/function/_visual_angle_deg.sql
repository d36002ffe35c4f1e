-- The angle at the eye between two points of the monitor, each from -1 to 1 of its width and of its height.
--
-- Exact for a flat monitor whose centre is straight before the eye: the angle between the two lines of sight.
-- macro: _visual_angle_deg(x_a, y_a, x_b, y_b)
SELECT
    degrees(
        atan2(
            sqrt(
                _squared((x_b::DOUBLE - x_a) * _monitor_half_width())
                + _squared((y_b::DOUBLE - y_a) * _monitor_half_height())
                + _squared((x_a::DOUBLE * y_b - y_a::DOUBLE * x_b) * _monitor_half_width() * _monitor_half_height())
            ),
            x_a::DOUBLE * x_b * _squared(_monitor_half_width()) + y_a::DOUBLE * y_b * _squared(_monitor_half_height()) + 1
        )
    ) AS _visual_angle_deg -- The angle [deg]
