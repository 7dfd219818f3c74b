// Dialect files: one that can be read reads and writes messages, and what is wrong with another is told with its line.
#include "pieces.hpp"
#include "protocols/iso8583/dialect.hpp"

#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using causeway::fuzz::require;
    using causeway::iso8583::dialect;
    const std::string_view file(reinterpret_cast<const char*>(data), size);
    try {
        const auto dialect = dialect::parse(file, "file");
        // Whatever the dialect, there is nothing in bytes that it may not meet: so its own file will do.
        static_cast<void>(dialect.unpack(file));
        static_cast<void>(dialect.unpack(std::string("0200\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12) + std::string(file)));
        const auto bytes = dialect.pack({.mti = "0800", .elements = {}});
        require(bytes.has_value() && dialect.unpack(*bytes).has_value());
    } catch (const dialect::error& error) {
        require(std::string_view(error.what()).starts_with("file:"));
    }
    return 0;
}
