// The metrics of a running bridge, and whether they add up.
#pragma once

#include "blocking.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>

namespace causeway::test {

/// What is served at `path` of this port.
http_answer get_page(std::uint16_t port, std::string_view path, std::string_view method = "GET");

/// Each line of a scrape: the metric with its labels, and its value.
using scrape = std::map<std::string, double>;

scrape scrape_of(std::uint16_t admin_port);

/// Over all labels of `metric`.
double sum_of(const scrape& values, std::string_view metric);

/// Whether each request that has arrived has ended or waits.
bool adds_up(const scrape& values);

/// Scrapes a bridge at once and then again and again, until it is stopped or the bridge has ended.
class auditor {
public:
    explicit auditor(std::uint16_t admin_port);

    /// Ends it; gives the first scrape that did not add up, in words, or an empty text.
    std::string stop();

private:
    void audit(std::uint16_t admin_port, const std::stop_token& stopped);
    void judge(const scrape& values);

    std::string wrong_;
    std::jthread thread_;
};

} // namespace causeway::test
