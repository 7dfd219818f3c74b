#include "service/access_line.hpp"

#include "http/characters.hpp"

#include <boost/url/grammar/lut_chars.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <string>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

struct is_plain {
    constexpr bool operator()(char c) const noexcept { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }
};

constexpr http::character_set plain_chars{boost::urls::grammar::lut_chars(is_plain{})};

// Whether all of `text` can stand in a line as it is. False also of some texts that could: they are looked at again,
// one character after the other.
bool is_surely_plain(std::string_view text)
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    constexpr auto size = sizeof each;
    if (text.size() < size)
        return plain_chars.prefix(text) == text.size();
    // To take 1 away from what is nothing sets a byte's highest bit, and so does to take a space away from less; what
    // is borrowed for that reaches the next byte.
    const auto has_other = [](const char* place) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, place, size);
        const auto is_one_of = [&](unsigned char c) { return (bytes ^ each * c) - each; };
        return ((bytes | (bytes - each * ' ') | is_one_of('"') | is_one_of('\\') | is_one_of(0x7f)) & each * 0x80) != 0;
    };
    const auto* const last = text.data() + text.size() - size;
    for (const auto* place = text.data(); place < last; place += size)
        if (has_other(place))
            return false;
    return !has_other(last);
}

constexpr std::string_view cut = "...";

// Characters that are shown at most. With them and `longest_target`, no line comes near to `longest`.
constexpr std::size_t longest_method = 64;
constexpr std::size_t longest_upstream = 300;

std::string escape(char c, log_format format)
{
    if (c == '"' || c == '\\')
        return {'\\', c};
    return fmt::format("\\{}{:02x}", format == log_format::json ? "u00" : "x", static_cast<unsigned char>(c));
}

} // namespace

// How the time of a request is split. Its message may have been written before the request came, when another's reply
// answers it.
struct access_line::durations {
    explicit durations(const http::access& access)
    {
        const auto& trace = access.trace;
        const auto waited_until = std::clamp(trace.ended_at, access.read_at, std::max(access.read_at, access.ended_at));
        const auto written_at =
            trace.upstream.empty() ? waited_until : std::clamp(trace.written_at, access.read_at, waited_until);
        read = access.read_at - access.began_at;
        wait = written_at - access.read_at;
        wire = waited_until - written_at;
        write = access.ended_at - waited_until;
    }

    std::chrono::nanoseconds read, wait, wire, write;
};

// Inline, so that a literal is a few moves.
inline void access_line::add(std::string_view text)
{
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
}

inline void access_line::add_number(std::uint64_t number) { end_ = std::to_chars(end_, text_.end(), number).ptr; }

// In microseconds.
inline void access_line::add(std::chrono::nanoseconds duration)
{
    add_number(static_cast<std::uint64_t>(std::max(duration, 0ns) / 1us));
}

// The text of a second serves all lines in it.
void access_line::add_time(clock::time_point at)
{
    if (at < second_begins_ || at - second_begins_ >= 1s) {
        const auto wall = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch() + since_1970_);
        second_begins_ = clock::time_point(wall - since_1970_);
        fmt::format_to(second_.data(), "{:%Y-%m-%dT%H:%M:%S}.", fmt::gmtime(static_cast<std::time_t>(wall.count())));
    }
    const auto thousandths = static_cast<unsigned>((at - second_begins_) / 1ms);
    add({second_.data(), second_.size()});
    for (const auto digit : {thousandths / 100, thousandths / 10 % 10, thousandths % 10})
        *end_++ = static_cast<char>('0' + digit);
    *end_++ = 'Z';
}

inline void access_line::add_escaped(std::string_view text, std::size_t most)
{
    if (text.size() <= most && is_surely_plain(text))
        add(text);
    else
        escape_and_add(text, most);
}

void access_line::escape_and_add(std::string_view text, std::size_t most)
{
    const auto* const limit = end_ + most;
    while (!text.empty()) {
        const auto plain = std::min(plain_chars.prefix(text), static_cast<std::size_t>(limit - end_));
        add(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty())
            return;
        const auto escaped = escape(text.front(), format_);
        if (escaped.size() > static_cast<std::size_t>(limit - end_))
            return add(cut);
        add(escaped);
        text.remove_prefix(1);
    }
}

void access_line::set_clock(clock::time_point now, std::chrono::system_clock::time_point wall)
{
    since_1970_ = wall.time_since_epoch() - now.time_since_epoch();
    second_begins_ = {};
}

std::string_view access_line::of(const http::access& access, std::string_view peer)
{
    end_ = text_.begin();
    const durations spent(access);
    if (format_ == log_format::json)
        write_json(access, peer, spent);
    else
        write_text(access, peer, spent);
    return {text_.begin(), end_};
}

void access_line::write_text(const http::access& access, std::string_view peer, const durations& spent)
{
    add_time(access.ended_at);
    add(" ");
    add(peer.empty() ? "-" : peer);
    add(" ");
    add(access.id);
    if (access.method.empty()) {
        add(" \"-\" ");
    } else {
        add(" \"");
        add_escaped(access.method, longest_method);
        add(" ");
        add_escaped(access.target, longest_target);
        add(access.version < 11 ? " HTTP/1.0\" " : " HTTP/1.1\" ");
    }
    if (access.sent)
        add_number(access.status);
    else
        add("-");
    add(" ");
    add_number(access.sent ? access.bytes : 0);
    add(" ");
    add(access.trace.outcome.empty() ? "refused" : access.trace.outcome);
    add(" ");
    add_escaped(access.trace.upstream.empty() ? "-" : access.trace.upstream, longest_upstream);
    add(" read=");
    add(spent.read);
    add(" wait=");
    add(spent.wait);
    add(" wire=");
    add(spent.wire);
    add(" write=");
    add(spent.write);
    add("\n");
}

void access_line::write_json(const http::access& access, std::string_view peer, const durations& spent)
{
    add(R"({"time":")");
    add_time(access.ended_at);
    add(R"(","peer":")");
    add(peer);
    add(R"(","id":")");
    add(access.id);
    if (access.method.empty()) {
        add(R"(","method":null,"target":null,"version":null,"status":)");
    } else {
        add(R"(","method":")");
        add_escaped(access.method, longest_method);
        add(R"(","target":")");
        add_escaped(access.target, longest_target);
        add(access.version < 11 ? R"(","version":"HTTP/1.0","status":)" : R"(","version":"HTTP/1.1","status":)");
    }
    if (access.sent)
        add_number(access.status);
    else
        add("null");
    add(R"(,"bytes":)");
    add_number(access.sent ? access.bytes : 0);
    add(R"(,"outcome":")");
    add(access.trace.outcome.empty() ? "refused" : access.trace.outcome);
    if (access.trace.upstream.empty()) {
        add(R"(","upstream":null,"read_us":)");
    } else {
        add(R"(","upstream":")");
        add_escaped(access.trace.upstream, longest_upstream);
        add(R"(","read_us":)");
    }
    add(spent.read);
    add(R"(,"wait_us":)");
    add(spent.wait);
    add(R"(,"wire_us":)");
    add(spent.wire);
    add(R"(,"write_us":)");
    add(spent.write);
    add("}\n");
}

std::string lost_lines(std::uint64_t count, std::chrono::system_clock::time_point now, log_format format)
{
    const auto time = fmt::gmtime(std::chrono::system_clock::to_time_t(now));
    const auto text = fmt::format("{} lines of this log are lost here, because there was no room for them", count);
    if (format == log_format::json)
        return fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}Z","level":"warning","message":"{}"}})"
                           "\n",
                           time, text);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z {}\n", time, text);
}

} // namespace causeway::service
