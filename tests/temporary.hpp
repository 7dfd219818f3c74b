// Files that are removed at the end of a test.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace causeway::test {

/// The content of a file; nothing if there is none.
inline std::string text_of(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Creates or overwrites a file with this text.
inline void write_file(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

/// A directory that is removed with everything in it.
class temporary_directory {
public:
    /// Throws `std::system_error` when it cannot be created.
    temporary_directory()
        : path_((std::filesystem::temp_directory_path() / "causeway-test-XXXXXX").string())
    {
        if (::mkdtemp(path_.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), path_);
    }
    ~temporary_directory() { std::filesystem::remove_all(path_); }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// A file with a text, in its own directory.
class temporary_file {
public:
    explicit temporary_file(std::string_view text = {}) { write(text); }

    void write(std::string_view text) const { write_file(path_, text); }
    const std::string& path() const noexcept { return path_; }

private:
    temporary_directory directory_;
    std::string path_ = directory_.path() + "/file";
};

} // namespace causeway::test
