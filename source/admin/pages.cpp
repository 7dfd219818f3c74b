#include "admin/pages.hpp"

#include "admin/health.hpp"
#include "admin/metrics.hpp"
#include "admin/process.hpp"
#include "http/target.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace causeway::admin {
namespace {

using boost::beast::http::status;
using boost::beast::http::verb;

// Empty when the target has none.
std::string_view path_of(const http::request& request)
{
    const std::string_view target = request.target;
    if (target.starts_with('/'))
        return target.substr(0, target.find('?'));
    const auto absolute = http::parse_target(request.method, target);
    if (!absolute)
        return {};
    return http::is_root(*absolute) ? "/" : absolute->encoded_path();
}

} // namespace

struct pages::page {
    std::string_view path;
    std::string_view content_type;
    std::string (*text)(const facts& facts, const report& report);
};

pages::pages(facts facts, look look_at_process, live_source& live, std::string host)
    : facts_(std::move(facts))
    , look_at_process_(std::move(look_at_process))
    , live_page_(live, std::move(host))
{
}

const pages::page* pages::page_at(std::string_view path)
{
    static constexpr std::string_view plain_text = "text/plain; charset=utf-8";
    static constexpr auto all = std::to_array<page>({
        {"/metrics", metrics_type,
         [](const facts& facts, const report& report) {
             return metrics_text(facts, report, figures_of_this_process());
         }},
        {"/healthz", plain_text, [](const facts&, const report& report) { return health_of(report); }},
        {"/readyz", plain_text, [](const facts&, const report& report) { return readiness_of(report); }},
    });
    const auto found = std::ranges::find(all, path, &page::path);
    return found == all.end() ? nullptr : &*found;
}

http::reaction pages::look_at(const http::request& request, steady_timer& deadline)
{
    const auto path = path_of(request);
    if (live_page::has(path))
        return live_page_.look_at(request, path, deadline);
    const auto* asked = page_at(path);
    if (asked == nullptr)
        return http::refused(status::not_found, "not found; there are /, /metrics, /healthz and /readyz");
    if (request.method != verb::get && request.method != verb::head)
        return http::method_not_allowed("GET, HEAD");
    return write(*asked, deadline);
}

awaitable<http::outcome> pages::write(const page& asked, steady_timer& deadline)
{
    const auto report = co_await look_at_process_(deadline);
    co_return asked.text(facts_, report);
}

// A page is its text; one that says of the process that it is not well has a status that says so too.
void pages::respond(const http::request& request, http::outcome&& outcome, http::response& response)
{
    const auto path = path_of(request);
    if (live_page::has(path))
        return live_page::respond(std::move(outcome), response);
    const auto& asked = *page_at(path);
    const bool is_figures = asked.content_type == metrics_type;
    response.status = is_figures || *outcome == all_is_well ? status::ok : status::service_unavailable;
    response.content_type = asked.content_type;
    response.fields = "Cache-Control: no-store\r\n";
    response.body = *std::move(outcome);
}

} // namespace causeway::admin
