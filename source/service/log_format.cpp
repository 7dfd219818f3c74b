#include "service/log_format.hpp"

#include "service/printable.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

#include <climits>
#include <string>
#include <string_view>

namespace causeway::service {
namespace {

constexpr std::string_view end_of_object = "\"}\n";
constexpr std::string_view end_of_cut_object = " (cut)\"}\n";
constexpr std::size_t most_before_the_end = PIPE_BUF - std::string_view("<N>").size() - end_of_cut_object.size();

// One character of a JSON string (RFC 8259 §7).
std::string escape(char c)
{
    std::string escaped;
    for (const char part : printable({&c, 1})) {
        if (part == '"' || part == '\\')
            escaped += '\\';
        escaped += part;
    }
    return escaped;
}

class json_formatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override
    {
        head_.format(message, line);
        auto end = end_of_object;
        for (const char c : message.payload) {
            const auto escaped = escape(c);
            if (line.size() + escaped.size() > most_before_the_end) {
                end = end_of_cut_object;
                break;
            }
            line.append(escaped.data(), escaped.data() + escaped.size());
        }
        line.append(end.data(), end.data() + end.size());
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }

private:
    spdlog::pattern_formatter head_{R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":")",
                                    spdlog::pattern_time_type::utc, ""};
};

} // namespace

std::unique_ptr<spdlog::formatter> make_formatter(log_format format)
{
    if (format == log_format::json)
        return std::make_unique<json_formatter>();
    return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

} // namespace causeway::service
