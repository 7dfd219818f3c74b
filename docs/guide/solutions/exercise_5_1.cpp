// Exercise 5.1: lines out of bytes, however they come.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

// [line_splitter]
class line_splitter {
public:
    void received(std::string_view bytes) { input_ += bytes; }

    // The next whole line, with its line feed; nothing while its end has not come.
    std::optional<std::string> next()
    {
        const auto end = input_.find('\n');
        if (end == std::string::npos)
            return std::nullopt;
        auto line = input_.substr(0, end + 1);
        input_.erase(0, end + 1);
        return line;
    }

private:
    std::string input_;
};
// [/line_splitter]

std::vector<std::string> lines_in(const std::vector<std::string_view>& pieces)
{
    line_splitter splitter;
    std::vector<std::string> lines;
    for (const auto piece : pieces) {
        splitter.received(piece);
        while (auto line = splitter.next())
            lines.push_back(*std::move(line));
    }
    return lines;
}

} // namespace

int main()
{
    constexpr std::string_view stream = "Code 404: Not Found\n\nCode 500: Internal Server Error\n";
    const std::vector<std::string> lines{"Code 404: Not Found\n", "\n", "Code 500: Internal Server Error\n"};
    for (std::size_t first = 0; first <= stream.size(); ++first)
        for (std::size_t second = first; second <= stream.size(); ++second)
            if (lines_in({stream.substr(0, first), stream.substr(first, second - first), stream.substr(second)}) !=
                lines)
                return 1;
    return lines_in({"no end"}).empty() ? 0 : 1;
}
