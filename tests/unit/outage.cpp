#include "upstream/outage.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using causeway::upstream::outage;
using event = outage::event;
using line = outage::line;
constexpr auto window = outage::window;
constexpr auto most_lines = outage::most_lines;
using namespace std::chrono_literals;

struct fixture {
    causeway::upstream::outage upstream;

    line note(event now, std::chrono::nanoseconds at) { return upstream.note(now, causeway::clock::time_point(at)); }

    // Until no more lines are written; ends with a lost connection.
    void flap()
    {
        for (unsigned i = 0; i != most_lines; ++i) {
            note(event::connected, 1s);
            note(event::lost, 1s);
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(outage, fixture)

BOOST_AUTO_TEST_CASE(each_change_is_news_once)
{
    for (const auto now : {event::connected, event::lost, event::unreachable, event::connected}) {
        BOOST_TEST((note(now, 1s) == line::of_the_event));
        BOOST_TEST((note(now, 1s) == line::none));
        BOOST_TEST((note(now, 1h) == line::none));
    }
}

BOOST_AUTO_TEST_CASE(too_many_changes_in_a_window_get_one_line_together)
{
    for (unsigned i = 1; i != most_lines; ++i)
        BOOST_TEST((note(i % 2 == 0 ? event::lost : event::connected, 1s) == line::of_the_event));
    BOOST_TEST((note(event::lost, 1s) == line::of_flapping));
    BOOST_TEST((note(event::connected, 1s + window - 1ns) == line::none));
}

BOOST_AUTO_TEST_CASE(the_next_window_has_lines_of_its_own)
{
    flap();
    BOOST_TEST((note(event::connected, 1s + window) == line::of_the_event));
    BOOST_TEST((note(event::lost, 1s + window) == line::of_the_event));
}

BOOST_AUTO_TEST_CASE(one_that_stays_down_after_flapping_is_told_after_the_window_and_once)
{
    flap();
    BOOST_TEST((note(event::unreachable, 2s) == line::none));
    BOOST_TEST((note(event::unreachable, 1s + window - 1ns) == line::none));
    BOOST_TEST((note(event::unreachable, 1s + window) == line::of_the_event));
    BOOST_TEST((note(event::unreachable, 1s + window) == line::none));
}

BOOST_AUTO_TEST_SUITE_END()
