#include "scrape.hpp"

#include "kit.hpp"

#include <fmt/format.h>

#include <exception>
#include <sstream>

namespace causeway::test {

http_answer get_page(std::uint16_t port, std::string_view path, std::string_view method)
{
    connection client(port);
    client.send(fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n\r\n", method, path));
    return receive_answer(client);
}

scrape scrape_of(std::uint16_t admin_port)
{
    std::istringstream text(get_page(admin_port, "/metrics").body);
    scrape values;
    for (std::string line; std::getline(text, line);)
        if (!line.starts_with('#'))
            values[line.substr(0, line.rfind(' '))] = std::stod(line.substr(line.rfind(' ') + 1));
    return values;
}

double sum_of(const scrape& values, std::string_view metric)
{
    double sum = 0;
    for (const auto& [name, value] : values)
        if (name.substr(0, name.find('{')) == metric)
            sum += value;
    return sum;
}

bool adds_up(const scrape& values)
{
    return sum_of(values, "causeway_requests_received_total") ==
           sum_of(values, "causeway_requests_total") + sum_of(values, "causeway_requests_waiting");
}

auditor::auditor(std::uint16_t admin_port)
{
    judge(scrape_of(admin_port));
    thread_ = std::jthread([this, admin_port](const std::stop_token& stopped) { audit(admin_port, stopped); });
}

void auditor::audit(std::uint16_t admin_port, const std::stop_token& stopped)
{
    while (!stopped.stop_requested() && wrong_.empty()) {
        try {
            judge(scrape_of(admin_port));
        } catch (const std::exception&) {
            return; // the bridge has ended
        }
        std::this_thread::sleep_for(10ms);
    }
}

void auditor::judge(const scrape& values)
{
    if (!adds_up(values))
        wrong_ = fmt::format("{} requests received, {} ended, {} waiting",
                             sum_of(values, "causeway_requests_received_total"),
                             sum_of(values, "causeway_requests_total"), sum_of(values, "causeway_requests_waiting"));
}

std::string auditor::stop()
{
    thread_.request_stop();
    thread_.join();
    return wrong_;
}

} // namespace causeway::test
