// How Boost.Test prints a duration; C++20's own operator<< is missing from g++ 12.
#pragma once

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ostream>

template <>
struct boost::test_tools::tt_detail::print_log_value<std::chrono::nanoseconds> {
    void operator()(std::ostream& output, std::chrono::nanoseconds duration) const
    {
        output << duration.count() << " ns";
    }
};
