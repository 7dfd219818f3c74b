#include "admin/live_page.hpp"

#include "admin/live_events.hpp"
#include "admin/page_files.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/json/parse.hpp>
#include <boost/url/authority_view.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace causeway::admin {
namespace {

using boost::beast::iequals;
using boost::beast::http::status;
using boost::beast::http::verb;

constexpr std::string_view events_path = "/live/events";
constexpr std::string_view ask_path = "/live/ask";

// Everything that the page uses comes from here, and it can be shown in no other.
constexpr std::string_view fields =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n";

constexpr std::size_t longest_code = 64; // whatever the process makes of it

std::string_view type_of(std::string_view path)
{
    constexpr auto types = std::to_array<std::pair<std::string_view, std::string_view>>({
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", http::response::json},
        {".svg", "image/svg+xml"},
    });
    const auto found = std::ranges::find_if(types, [&](const auto& type) { return path.ends_with(type.first); });
    return found == types.end() ? "text/html; charset=utf-8" : found->second;
}

http::response with_fields(http::response response)
{
    response.fields += fields;
    return response;
}

http::response refused(status status, std::string_view problem) { return with_fields(http::refused(status, problem)); }

bool is_to_be_read(const http::request& request) { return request.method == verb::get || request.method == verb::head; }

// Browsers say where a request comes from (Fetch Metadata; RFC 6454), others need not.
bool is_of_another_site(const http::request& request)
{
    const auto site = request.field("Sec-Fetch-Site");
    const auto origin = request.field("Origin");
    const bool is_own_site = site.empty() || site == "same-origin" || site == "none";
    const bool is_own_origin = origin.empty() || iequals(origin, fmt::format("http://{}", request.field("Host")));
    return !is_own_site || !is_own_origin;
}

bool is_json(std::string_view content_type)
{
    const auto type = content_type.substr(0, content_type.find(';'));
    return iequals(type.substr(0, type.find(' ')), http::response::json);
}

std::optional<std::string> code_in(const std::string& body)
{
    boost::system::error_code error;
    const auto value = boost::json::parse(body, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* code = object != nullptr ? object->if_contains("code") : nullptr;
    if (code == nullptr || !code->is_string() || code->as_string().size() > longest_code)
        return std::nullopt;
    return std::string(code->as_string());
}

} // namespace

live_page::live_page(live_source& source, std::string host)
    : source_(source)
    , host_(std::move(host))
{
}

bool live_page::has(std::string_view path) { return path == "/" || path.starts_with("/live/"); }

http::reaction live_page::look_at(const http::request& request, std::string_view path, steady_timer& deadline)
{
    if (!is_called_by_its_name(request))
        return refused(status::forbidden, "open this page by its address, as localhost, or as --admin names it");
    if (path == events_path)
        return watch(request);
    if (path == ask_path)
        return ask(request, deadline);
    const auto files = page_files();
    const auto file = std::ranges::find(files, path, &page_file::path);
    if (file == files.end())
        return refused(status::not_found, "not found; the page is /");
    if (!is_to_be_read(request))
        return with_fields(http::method_not_allowed("GET, HEAD"));
    return with_fields({.content_type = type_of(path), .body = std::string(file->text)});
}

http::reaction live_page::watch(const http::request& request)
{
    if (!is_to_be_read(request))
        return with_fields(http::method_not_allowed("GET, HEAD"));
    if (is_of_another_site(request))
        return refused(status::forbidden, "only this server's own page may watch");
    auto events = source_.watch();
    if (!events)
        return with_fields(http::not_now("as many pages watch already as may"));
    return http::stream{with_fields({.content_type = live_event_type}), std::move(events)};
}

http::reaction live_page::ask(const http::request& request, steady_timer& deadline)
{
    if (!source_.can_be_asked())
        return refused(status::not_found, "this process is not asked from here");
    if (request.method != verb::post)
        return with_fields(http::method_not_allowed("POST"));
    if (is_of_another_site(request))
        return refused(status::forbidden, "only this server's own page may ask");
    if (!is_json(request.content_type))
        return refused(status::unsupported_media_type, "the content is not application/json");
    auto code = code_in(request.body);
    if (!code)
        return refused(status::bad_request, R"(ask for example {"code":"404"})");
    if (source_.is_asked_enough())
        return with_fields(http::not_now("as many requests are being asked already as may be"));
    return source_.ask(*std::move(code), deadline);
}

void live_page::respond(http::outcome&& outcome, http::response& response)
{
    if (outcome)
        response.body = *std::move(outcome);
    else
        response = http::refused(status::bad_gateway, outcome.error().message());
    response.fields = fields;
}

// A browser resolves names as whoever owns them says, and takes what it finds for a part of that site (DNS rebinding).
bool live_page::is_called_by_its_name(const http::request& request) const
{
    const auto authority = boost::urls::parse_authority(request.field("Host"));
    if (!authority)
        return false;
    const auto host = authority->host_address();
    const auto type = authority->host_type();
    const bool is_address = type == boost::urls::host_type::ipv4 || type == boost::urls::host_type::ipv6;
    return is_address || iequals(host, "localhost") || (!host_.empty() && iequals(host, host_));
}

} // namespace causeway::admin
