// A page of lessons begins here.

import { emitted } from "../emitted.js";
import { startLessons } from "./lesson.js";

const lessonRoot = document.getElementById("lessons");
const lessonCourse = document.getElementById("gdsim-data");
if (lessonRoot && lessonCourse) startLessons(lessonRoot, JSON.parse(lessonCourse.textContent ?? ""), emitted);
